import { composeKeyLookUp } from '../compose.ts'
import type { KeyLookUp } from '../delivery/spool-keys.ts'
import { describeFoundKey, describeRestRetry } from '../rest/describe.ts'
import { version } from '../version.ts'
import type { Session } from './session.ts'

/** What looks the key up while a spool is delivered; undefined where there is nothing to look up. */
export function keyLookUp({ io, config, log }: Session): KeyLookUp | undefined {
  return composeKeyLookUp({
    delivery: config.delivery,
    rest: config.rest,
    version,
    signal: io.signal,
    onRetry: (call, retry) => log.info(describeRestRetry(call, retry)),
    onFound: (key) => log.info(describeFoundKey(key)),
  })
}
