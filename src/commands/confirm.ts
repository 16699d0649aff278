import { describePost, type Confirmation } from '../cli/report.ts'
import type { ServiceChoice } from '../config/rest.ts'
import { formatMs } from '../core/duration.ts'
import { Failure } from '../core/failure.ts'
import type { Delivery } from '../delivery/sender.ts'
import type { Log } from '../log.ts'
import type { RestClient } from '../rest/client.ts'
import { describeService, type Service } from '../rest/resources.ts'
import { findService, needService } from '../rest/service.ts'
import { findShown, type Shown } from './find-shown.ts'
import { poll } from './poll.ts'
import { withRestClient, type RestContext } from './rest-access.ts'
import { whyDropped, whyNotShown } from './why-not-shown.ts'

/** How long PagerDuty has to show an event that it has accepted: it does that on its own time. */
const WAIT_MS = 20_000
/** How long the last look, and each question about the reason, may take. */
const LAST_CALL_MS = 2000

/**
 * Asks PagerDuty for the events that it has accepted: for 20 s at most, and within the invocation's deadline.
 * @returns a confirmation for each delivery that was accepted. Whatever goes wrong is in there: nothing is thrown
 */
export async function confirmDeliveries(
  session: RestContext,
  deliveries: readonly Delivery[],
): Promise<ReadonlyMap<Delivery, Confirmation>> {
  const { io, config } = session
  const accepted = deliveries.filter(({ outcome }) => outcome === 'accepted')
  if (accepted.length === 0) return new Map()
  const nowMs = performance.now()
  const deadlineAtMs = io.startedAtMs + config.delivery.deadlineMs
  const endAtMs = Math.max(nowMs, Math.min(nowMs + WAIT_MS, deadlineAtMs - LAST_CALL_MS))
  const span = { sentAtMs: Date.now() - (nowMs - io.startedAtMs), endAtMs, waitMs: endAtMs - nowMs }
  const { token, service } = needService('--confirm', config.rest)
  try {
    return await withRestClient(
      session,
      token,
      async (client) => await lookFor(session, accepted, { client, choice: service, ...span }),
      { deadlineAtMs: () => Math.min(deadlineAtMs, Math.max(endAtMs, performance.now() + LAST_CALL_MS)) },
    )
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return new Map(accepted.map((delivery) => [delivery, unknown(error)]))
  }
}

function unknown({ message }: Failure): Confirmation {
  const [reason = ''] = message.split('\n')
  return { sentence: `cannot tell whether PagerDuty shows it: ${reason}` }
}

interface Search {
  readonly client: RestClient
  readonly choice: ServiceChoice
  readonly sentAtMs: number
  readonly endAtMs: number
  readonly waitMs: number
}

async function lookFor(
  { io }: RestContext,
  deliveries: readonly Delivery[],
  { client, choice, sentAtMs, endAtMs, waitMs }: Search,
): Promise<Map<Delivery, Confirmation>> {
  const service = await findService(client, choice)
  const found = new Map<Delivery, Shown>()
  const lookOnce = async (): Promise<void> => {
    const missing = deliveries.filter((delivery) => found.get(delivery)?.isShown !== true)
    const search = { client, serviceId: service.id, sentAtMs }
    const looks = missing.map(async (delivery) => {
      found.set(delivery, await findShown(delivery.post.event, search))
    })
    await Promise.all(looks)
  }
  const isEnough = (): boolean =>
    whyDropped(service) !== undefined || deliveries.every((delivery) => found.get(delivery)?.isShown)
  const last = await poll({ lookOnce, isEnough, waitMs, endAtMs, onWait: () => undefined, signal: io.signal })
  const confirmations = deliveries.map(async (delivery): Promise<[Delivery, Confirmation]> => {
    const shown = found.get(delivery) ?? { isShown: false }
    if (last instanceof Failure && !shown.isShown) return [delivery, unknown(last)]
    return [delivery, await conclude({ client, service, waitMs }, delivery, shown)]
  })
  return new Map(await Promise.all(confirmations))
}

async function conclude(
  { client, service, waitMs }: { client: RestClient; service: Service; waitMs: number },
  { post }: Delivery,
  { isShown, sentence = '' }: Shown,
): Promise<Confirmation> {
  if (isShown) return { isShown, sentence: `${sentence} on ${describeService(service)}` }
  const { event_action: action } = post.event.body
  const dropped = whyDropped(service)
  const reason = dropped ?? (await whyNotShown(client, service, post))
  if (action === 'acknowledge' || action === 'resolve')
    return { isShown, sentence: reason === undefined ? sentence : `${sentence}: ${reason}` }
  if (dropped !== undefined) return { isShown, sentence: `accepted, but shown nowhere: ${dropped}` }
  const time = formatMs(Math.round(waitMs / 1000) * 1000)
  return { isShown, sentence: `accepted, but shown nowhere after ${time}: ${reason}` }
}

/** Logs a line for each confirmation: a warning unless PagerDuty shows the event. */
export function logConfirmations(log: Log, confirmations: ReadonlyMap<Delivery, Confirmation>): void {
  for (const [{ post }, { isShown, sentence }] of confirmations) {
    const line = `${describePost(post)}: ${sentence}`
    if (isShown === true) log.info(line)
    else log.warn(line)
  }
}
