import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { barChart, growthChart } from './chart.ts'
import { measureContainer } from './container.ts'
import type { Figures, Machine } from './figures.ts'
import { measureDetails, measureOutput, measureSpool } from './growth.ts'
import { measureIdle, measureSending } from './one-shot.ts'
import { ONE_SHOTS, performancePage, plotName } from './page.ts'
import { installPeers } from './peers.ts'
import { readScript } from './processes.ts'
import { measureCallers, measureCurls } from './relay-caller.ts'
import { measureRelayLoad } from './relay-load.ts'
import { measureRun } from './run.ts'
import { measureRunEnding } from './run-ending.ts'
import { createSections, type Bench, type Sections } from './section.ts'
import { CERTIFICATE_FILE, startServers } from './servers.ts'

/*
 * Measures everything in one run and writes docs/performance.md. `--smoke` does each thing once and writes nothing: it only
 * checks that the benchmark still works. Progress goes to stderr. Ends with 1 if a part failed.
 */
const { values } = parseArgs({ options: { smoke: { type: 'boolean', default: false } } })
const isSmoke = values.smoke
const TOTAL_MS = isSmoke ? 90_000 : 720_000

const machine = describeMachine()
const folder = mkdtempSync(join(tmpdir(), 'bench-'))
const ending = new AbortController()
try {
  const packages = join(folder, 'packages')
  if (!isSmoke) installPeers(packages)
  const servers = await startServers(ending.signal)
  const tell = (text: string): void => void process.stderr.write(text)
  const sections = createSections({ servers, folder, isSmoke, totalMs: TOTAL_MS, tell })
  const figures = await measureAll(sections, packages, servers.isFarByPacket)
  const page = performancePage(figures)
  process.stdout.write(page)
  if (!isSmoke) writeDocs(figures, page)
  process.exitCode = figures.failed.length === 0 ? 0 : 1
} finally {
  ending.abort()
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
}

async function measureAll(
  { measure, failed }: Sections,
  packages: string,
  isFarByPacket: boolean,
): Promise<Figures> {
  const minute = 60_000
  const sending = (url: 'httpUrl' | 'httpsUrl' | 'farUrl') => (bench: Bench) =>
    measureSending(bench.servers[url], packages, bench)
  return {
    machine,
    idle: await measure('nothing sent', minute, measureIdle),
    http: await measure('http', 2 * minute, sending('httpUrl')),
    https: await measure('https', 2 * minute, sending('httpsUrl')),
    far: await measure('https over 50 ms', 3 * minute, sending('farUrl')),
    isFarByPacket,
    run: await measure('run', 2 * minute, measureRun),
    runEnding: await measure('the end of run', 3 * minute, measureRunEnding),
    relayLoad: await measure('relays under load', 4 * minute, measureRelayLoad),
    callers: await measure('relays, one caller', minute, measureCallers),
    curls: await measure('curl to relays', minute, measureCurls),
    deliveryRate: await measure('one key', minute, measureDeliveryRate),
    container: isSmoke ? undefined : await measure('containers', 3 * minute, measureContainer),
    growth: [
      ...((await measure('growth with the details', minute, measureDetails)) ?? []),
      ...((await measure('growth with the output', minute, measureOutput)) ?? []),
      ...((await measure('growth with the spool', 4 * minute, measureSpool)) ?? []),
    ],
    failed: failed(),
  }
}

/** Events per second of one routing key over the long path. */
async function measureDeliveryRate({ servers, folder: own, signal }: Bench): Promise<number> {
  const args = [join(own, 'spool'), servers.farUrl, isSmoke ? '200' : '10000']
  const env = { NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE }
  return (await readScript('delivery-rate.ts', args, { timeoutMs: 60_000, signal, env })) as number
}

function describeMachine(): Machine {
  const processors = cpus()
  return {
    date: new Date(),
    processor: processors[0]?.model.trim() ?? 'unknown processor',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release().replace(/-.*/, '')}`, // a hyphen starts the name of the build
    nodeVersion: process.version,
    loadAverage: loadavg()[0] ?? Number.NaN,
  }
}

function writeDocs(figures: Figures, page: string): void {
  const docs = new URL('../docs/', import.meta.url)
  mkdirSync(new URL('performance/', docs), { recursive: true })
  const plot = (name: string, svg: string): void => writeFileSync(new URL(`performance/${name}`, docs), svg)
  for (const name of Object.keys(ONE_SHOTS) as (keyof typeof ONE_SHOTS)[]) {
    const found = figures[name]
    if (found !== undefined)
      plot(`${name}.svg`, barChart(ONE_SHOTS[name].title, found.costs, ONE_SHOTS[name].base))
  }
  for (const growth of figures.growth) plot(plotName(growth), growthChart(growth))
  writeFileSync(new URL('performance.md', docs), page)
}
