import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { environment, READY_EVENT } from './build.ts'
import { timeOnce, type Cost, type Variant } from './measure.ts'
import { BIN, script } from './processes.ts'
import { spoolFolder, startRelay } from './relays.ts'
import type { Bench } from './section.ts'
import { CERTIFICATE_FILE, writeRoots } from './servers.ts'

/** What follows a watched command, by what it is compared as. */
export const RUN_ENDINGS = {
  curl: 'command; curl',
  twoCurls: 'command; curl; curl',
  sideBySide: 'command; curl & curl & wait',
  success: 'run, a success (two events)',
  failure: 'run, a failure (one event)',
  relayed: 'run, a success through a relay with a spool',
  dryRun: 'run --dry-run',
} as const

const ROUNDS = 21
const BUDGET_MS = 90_000

/**
 * Ends 0.8 s after its start, long after `run` has loaded everything, with the status `$0`, and records when:
 * bash's clock has microseconds.
 */
const COMMAND = 'sleep 0.8; printf %s "$EPOCHREALTIME" >"$BENCH_ENDED"; exit "$0"'

/** Times, in turns, what passes between a command's end and the end of what reports it, 50 ms from PagerDuty. */
export async function measureRunEnding({ servers, folder, signal, isSmoke }: Bench): Promise<Cost[]> {
  const endedFile = join(folder, 'ended')
  const roots = join(folder, 'roots.pem')
  writeRoots(roots)
  const spool = spoolFolder(folder, 'run-ending')
  const relay = await startRelay({ name: 'durable', upstreamUrl: servers.farUrl, spool, signal })
  const variants = variantsFor({ farUrl: servers.farUrl, relayUrl: relay.url, roots, endedFile })
  const times = variants.map((): number[] => [])
  const startedAtMs = performance.now()
  for (let round = 0; round < (isSmoke ? 1 : ROUNDS); round++) {
    if (round > 0 && performance.now() - startedAtMs > BUDGET_MS) break
    for (const [index, variant] of variants.entries()) times[index]?.push(timeEnding(variant, endedFile))
  }
  return variants.map(({ name }, index) => ({ name, times: times[index] ?? [] }))
}

interface Setup {
  readonly farUrl: string
  readonly relayUrl: string
  readonly roots: string
  /** Where the command writes when it ended. */
  readonly endedFile: string
}

function variantsFor({ farUrl, relayUrl, roots, endedFile }: Setup): Variant[] {
  const curl = (name: string, line: string): Variant => ({
    name,
    argv: ['bash', '-c', `bash -c "$1" 0; ${line}`, 'bash', COMMAND, script('peers/curl.sh')],
    env: environment({
      BENCH_ENDED: endedFile,
      BENCH_URL: `${farUrl}/v2/enqueue`,
      BENCH_BODY: READY_EVENT,
      SSL_CERT_FILE: roots,
    }),
  })
  const ours = (
    name: string,
    status: number,
    url: Record<string, string>,
    ...options: string[]
  ): Variant => ({
    name,
    argv: [process.execPath, BIN, 'run', '--quiet', ...options, '--', 'bash', '-c', COMMAND, String(status)],
    env: environment({ BENCH_ENDED: endedFile, NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE, ...url }),
    status,
  })
  const direct = { PAGERDUTY_EVENTS_URL: farUrl }
  return [
    curl(RUN_ENDINGS.curl, '. "$2"'),
    curl(RUN_ENDINGS.twoCurls, 'bash "$2"; . "$2"'),
    curl(RUN_ENDINGS.sideBySide, '(. "$2") & (. "$2") & wait'),
    ours(RUN_ENDINGS.success, 0, direct),
    ours(RUN_ENDINGS.failure, 1, direct),
    ours(RUN_ENDINGS.relayed, 0, { PAGERDUTY_RELAY_URL: relayUrl }),
    ours(RUN_ENDINGS.dryRun, 0, direct, '--dry-run'),
  ]
}

/** @returns milliseconds from the command's end to the end of the whole process */
function timeEnding(variant: Variant, endedFile: string): number {
  timeOnce(variant)
  const nowMs = performance.timeOrigin + performance.now()
  return nowMs - Number(readFileSync(endedFile, 'utf8')) * 1000
}
