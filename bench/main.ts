import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measureEventBuilding } from './build-event-cost.ts'
import { barChart, growthChart } from './chart.ts'
import { measureContainer } from './container.ts'
import { measureOneShots, type Section } from './one-shot.ts'
import { performancePage, type Figures } from './page.ts'
import { measureRelays } from './relay.ts'
import { measureRun } from './run.ts'
import { startServers } from './servers.ts'

/*
 * Measures everything in one run and writes docs/performance.md. `--smoke` runs each thing once or twice, writes nothing,
 * and so only shows that the benchmark still works.
 */
const { values } = parseArgs({
  options: { smoke: { type: 'boolean', default: false }, rounds: { type: 'string' } },
})
const rounds = Number(values.rounds ?? (values.smoke ? 1 : 21))

const servers = await startServers()
try {
  const figures: Figures = {
    rounds,
    oneShots: measureOneShots(servers, rounds),
    growth: [measureEventBuilding(values.smoke ? 100_000 : 10_000_000)],
    run: measureRun(values.smoke ? 3_000 : 300_000, Math.min(rounds, 5)),
    relays: await measureRelays(servers.httpUrl, Math.min(rounds, 5), values.smoke ? 0.3 : 3),
    container: values.smoke ? undefined : measureContainer(servers.httpUrl, Math.min(rounds, 11)),
  }
  const page = performancePage(figures, new Date())
  process.stdout.write(page)
  if (!values.smoke) writeDocs(figures, page)
} finally {
  servers.close()
}

function writeDocs({ oneShots, growth }: Figures, page: string): void {
  const docs = new URL('../docs/', import.meta.url)
  mkdirSync(new URL('performance/', docs), { recursive: true })
  for (const [name, { title, costs }] of Object.entries(oneShots) as [string, Section][]) {
    writeFileSync(new URL(`performance/${name}.svg`, docs), barChart(title, costs))
  }
  for (const line of growth) {
    writeFileSync(new URL(`performance/${line.name.replaceAll(/\W+/g, '-')}.svg`, docs), growthChart(line))
  }
  writeFileSync(new URL('performance.md', docs), page)
}
