import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { barChart, growthChart } from './chart.ts'
import type { Figures, Machine } from './figures.ts'
import { measureAll } from './measure-all.ts'
import { mergeRuns } from './merge-runs.ts'
import { ONE_SHOTS, performancePage, plotName } from './page.ts'
import { missedText } from './results.ts'
import { createSections } from './section.ts'
import { startServers } from './servers.ts'

/*
 * Measures everything and writes docs/performance.md; with `--runs 3` three times, and the page shows how much the runs
 * differ. Two options write nothing: `--smoke` does each thing once, which only checks that the benchmark still works, and
 * `--only TEXT` measures the sections that have the text in their name. Progress goes to stderr. Ends with 1 if a part failed.
 */
const { values } = parseArgs({
  options: {
    smoke: { type: 'boolean', default: false },
    only: { type: 'string' },
    runs: { type: 'string', default: '1' },
  },
})
const { smoke: isSmoke, only } = values
const TOTAL_MS = isSmoke ? 120_000 : 720_000

const folder = mkdtempSync(join(tmpdir(), 'bench-'))
const packages = join(folder, 'packages')
const tell = (text: string): void => void process.stderr.write(text)
const runs: Figures[] = []
try {
  while (runs.length < Number(values.runs)) {
    runs.push(await measureOnce(join(folder, `run-${runs.length}`)))
    // After each run, so that an interruption loses only the last one.
    if (!isSmoke && only === undefined) writeDocs(runs)
  }
  process.stdout.write(performancePage(runs))
  if (!isSmoke) tell(missedText(runs)) // figures of one round mean nothing
  process.exitCode = runs.every(({ failed }) => failed.length === 0) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
}
tell(`It took ${(performance.now() / 60_000).toFixed(1)} minutes.\n`)

async function measureOnce(own: string): Promise<Figures> {
  const machine = describeMachine()
  const ending = new AbortController()
  try {
    const servers = await startServers(ending.signal)
    const chosen = only === undefined ? {} : { only }
    const sections = createSections({ servers, folder: own, isSmoke, totalMs: TOTAL_MS, tell, ...chosen })
    const { isFarByPacket } = servers
    return await measureAll({ machine, sections, packages, isFarByPacket, isSmoke })
  } finally {
    ending.abort()
  }
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

function writeDocs(measured: readonly Figures[]): void {
  const figures = mergeRuns(measured)
  const docs = new URL('../docs/', import.meta.url)
  mkdirSync(new URL('performance/', docs), { recursive: true })
  const plot = (name: string, svg: string): void => writeFileSync(new URL(`performance/${name}`, docs), svg)
  for (const name of Object.keys(ONE_SHOTS) as (keyof typeof ONE_SHOTS)[]) {
    const found = figures[name]
    if (found !== undefined)
      plot(`${name}.svg`, barChart(ONE_SHOTS[name].title, found.costs, ONE_SHOTS[name].base))
  }
  for (const growth of figures.growth) plot(plotName(growth), growthChart(growth))
  writeFileSync(new URL('performance.md', docs), performancePage(measured))
}
