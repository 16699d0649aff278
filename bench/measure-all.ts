import { existsSync } from 'node:fs'
import { measureContainer } from './container.ts'
import { FACT_SECTIONS } from './fact-sections.ts'
import type { FactSection, Measured } from './fact.ts'
import type { Figures, Machine } from './figures.ts'
import { measureDetails, measureOutput, measureSpool } from './growth.ts'
import { measureIdle, measureSending } from './one-shot.ts'
import { installPeers } from './peers.ts'
import { readScript } from './processes.ts'
import { measureCallers, measureCurls } from './relay-caller.ts'
import { measureRelayLoad } from './relay-load.ts'
import { measureRun } from './run.ts'
import { measureRunEnding } from './run-ending.ts'
import type { Bench, Sections } from './section.ts'
import { CERTIFICATE_FILE } from './servers.ts'

export interface MeasureAllOptions {
  readonly machine: Machine
  readonly sections: Sections
  /** Where `installPeers` puts its own. */
  readonly packages: string
  readonly isFarByPacket: boolean
  readonly isSmoke: boolean
}

const MINUTE_MS = 60_000

/** Measures every section, one after the other. */
export async function measureAll({
  machine,
  sections: { measure, failed },
  packages,
  isFarByPacket,
  isSmoke,
}: MeasureAllOptions): Promise<Figures> {
  const sending = (url: 'httpUrl' | 'httpsUrl' | 'farUrl') => (bench: Bench) =>
    measureSending(bench.servers[url], packages, bench)
  if (!isSmoke && !existsSync(packages))
    await measure('peers for http', 2 * MINUTE_MS, () => installPeers(packages))
  const facts: (FactSection & Measured)[] = []
  for (const { title, note, work, budgetMs = 2 * MINUTE_MS } of FACT_SECTIONS) {
    const found = await measure(title, budgetMs, work)
    if (found !== undefined && found.facts.length > 0) facts.push({ title, note, ...found })
  }
  return {
    machine,
    idle: await measure('nothing sent', MINUTE_MS, measureIdle),
    http: await measure('http', 2 * MINUTE_MS, sending('httpUrl')),
    https: await measure('https', 2 * MINUTE_MS, sending('httpsUrl')),
    far: await measure('https over 50 ms', 3 * MINUTE_MS, sending('farUrl')),
    isFarByPacket,
    run: await measure('run', 2 * MINUTE_MS, measureRun),
    runEnding: await measure('the end of run', 3 * MINUTE_MS, measureRunEnding),
    relayLoad: await measure('relays under load', 4 * MINUTE_MS, measureRelayLoad),
    callers: await measure('relays, one caller', MINUTE_MS, measureCallers),
    curls: await measure('curl to relays', MINUTE_MS, measureCurls),
    deliveryRate: await measure('one key', MINUTE_MS, measureDeliveryRate),
    sections: facts,
    container: isSmoke ? undefined : await measure('containers', 3 * MINUTE_MS, measureContainer),
    growth: [
      ...((await measure('growth with the details', MINUTE_MS, measureDetails)) ?? []),
      ...((await measure('growth with the output', MINUTE_MS, measureOutput)) ?? []),
      ...((await measure('growth with the spool', 4 * MINUTE_MS, measureSpool)) ?? []),
      ...facts.flatMap(({ growth = [] }) => growth),
    ],
    failed: failed(),
  }
}

/** Events per second of one routing key over the long path. */
async function measureDeliveryRate({ servers, folder, signal, isSmoke }: Bench): Promise<number> {
  const args = [`${folder}/spool`, servers.farUrl, isSmoke ? '200' : '10000']
  const env = { NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE }
  return (await readScript('delivery-rate.ts', args, { timeoutMs: MINUTE_MS, signal, env })) as number
}
