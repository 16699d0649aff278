import { cpus, totalmem } from 'node:os'
import type { ContainerFigures } from './container.ts'
import type { Growth } from './chart.ts'
import type { Cost } from './measure.ts'
import type { OneShotSections, Section } from './one-shot.ts'
import type { RelayCost } from './relay.ts'
import type { RunCost } from './run.ts'

/** All that one run of the benchmark found. */
export interface Figures {
  readonly rounds: number
  readonly oneShots: OneShotSections
  readonly growth: readonly Growth[]
  readonly run: readonly RunCost[]
  readonly relays: readonly RelayCost[]
  readonly container: ContainerFigures | undefined
}

/** `docs/performance.md`: tables of ratios, since the times are those of one machine on one day. */
export function performancePage(figures: Figures, date: Date): string {
  const { oneShots, growth, run, relays, container } = figures
  return [
    HEAD,
    machine(figures.rounds, date),
    '## Targets\n',
    targetTable(figures),
    ...Object.entries(oneShots).map(([name, section]) => sectionText(name, section as Section)),
    runText(run),
    relayText(relays),
    container === undefined ? '' : containerText(container),
    '## Growth\n',
    ...growth.map(growthText),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

const HEAD = `# Performance

<!-- Written by \`npm run bench\`. -->

What the program costs beside others that do the same work, all measured in one run, in turns. The times are those of
one machine on one day; the ratios are what to compare. \`npm run bench\` repeats it and writes this page.
`

function machine(rounds: number, date: Date): string {
  const processors = cpus()
  const memoryGb = Math.round(totalmem() / 2 ** 30)
  return (
    `${date.toISOString().slice(0, 10)}, ${processors[0]?.model.trim()}, ${processors.length} cores, ${memoryGb} GiB, ` +
    `Node ${process.version}; medians of ${rounds} runs after one to warm up.\n` +
    'The path with a round trip of 50 ms is a proxy that delays every byte, and the first of a connection by one\n' +
    'round trip more.\n'
  )
}

function sectionText(name: string, { title, costs, missing }: Section): string {
  const [floor] = costs
  const rows = costs.map(({ name: what, ms, peakMb }) => {
    const memory = peakMb === undefined || floor?.peakMb === undefined ? '' : ratio(peakMb, floor.peakMb)
    return `| ${what} | ${ms.toFixed(0)} | ${ratio(ms, floor?.ms)} | ${memory} |`
  })
  const absent =
    missing.length === 0 ? '' : `\nNot measured, since this machine lacks them: ${missing.join(', ')}.\n`
  return `## ${title}\n\n![](performance/${name}.svg)\n\n| command | ms | × \`node -e 0\` | peak memory × |\n|---|---:|---:|---:|\n${rows.join('\n')}\n${absent}`
}

function containerText({ unpackedMb, gzipMb, costs }: ContainerFigures): string {
  const [floor] = costs
  const rows = costs.map(({ name, ms }) => `| ${name} | ${ms.toFixed(0)} | ${ratio(ms, floor?.ms)} |`)
  return (
    `## Containers\n\nThe image: ${unpackedMb.toFixed(1)} MB unpacked, ${gzipMb.toFixed(1)} MB as \`docker save | gzip\`.\n\n` +
    `| from \`docker run\` to its end | ms | × curl |\n|---|---:|---:|\n${rows.join('\n')}\n`
  )
}

function runText(costs: readonly RunCost[]): string {
  const rows = costs.map(
    ({ name, bareMs, watchedMs }) =>
      `| ${name} | ${bareMs.toFixed(0)} | ${watchedMs.toFixed(0)} | ${ratio(watchedMs, bareMs)} |`,
  )
  return `## A command watched by run\n\n| what it prints | bare, ms | with run, ms | × |\n|---|---:|---:|---:|\n${rows.join('\n')}\n`
}

function relayText(costs: readonly RelayCost[]): string {
  const [bare] = costs
  const rows = costs.map(
    ({ name, perSecond, p99Ms, idleMb, peakMb }) =>
      `| ${name} | ${Math.round(perSecond)} | ${ratio(perSecond, bare?.perSecond)} | ${p99Ms.toFixed(1)} | ${idleMb.toFixed(0)} | ${peakMb.toFixed(0)} |`,
  )
  return (
    `## Relays, ${RELAY_LOAD}\n\n| relay | events/s | × passthrough | p99 ms | idle MB | peak MB |\n` +
    `|---|---:|---:|---:|---:|---:|\n${rows.join('\n')}\n`
  )
}

const RELAY_LOAD = '64 connections, each event another alert, a stub that answers at once'

function growthText({ name, unit, points }: Growth): string {
  const rows = points.map(({ size, ms }) => `| ${size.toLocaleString('en')} | ${ms.toFixed(2)} |`)
  const file = name.replaceAll(/\W+/g, '-')
  return `### ${name}\n\n![](performance/${file}.svg)\n\n| ${unit} | ms |\n|---:|---:|\n${rows.join('\n')}\n`
}

interface Target {
  readonly what: string
  readonly value: number | undefined
  readonly limit: number
  /** What keeps it above the limit, where it is. */
  readonly floor: string
}

function targetTable({ oneShots, container }: Figures): string {
  const { idle, https, far } = oneShots
  const targets: Target[] = [
    {
      what: 'https over 50 ms ÷ bash + curl',
      value: timeRatio(far, 'pagerduty-alert failure', 'bash + curl'),
      limit: 1.25,
      floor:
        'Node starts 30 ms later than curl, and matches the name against its pattern of an IPv6 address first',
    },
    {
      what: 'https over loopback ÷ `node -e 0`',
      value: timeRatio(https, 'pagerduty-alert failure', 'node -e 0'),
      limit: 2.6,
      floor: `node:https by hand ${ratioOf(https, 'node:https by hand')}; the rest is undici’s client and its parser`,
    },
    {
      what: '`--help` ÷ `node -e 0`',
      value: timeRatio(idle, 'pagerduty-alert --help', 'node -e 0'),
      limit: 1.3,
      floor: `\`--version\` ${ratioOf(idle, 'pagerduty-alert --version')}; an ES module costs about 1 ms to find and load`,
    },
    {
      what: 'a refusal ÷ `node -e 0`',
      value: timeRatio(idle, 'pagerduty-alert, a refusal', 'node -e 0'),
      limit: 1.3,
      floor: 'the settings are read before they are refused',
    },
    {
      what: '`--dry-run` ÷ `node -e 0`',
      value: timeRatio(idle, 'pagerduty-alert success --dry-run', 'node -e 0'),
      limit: 1.8,
      floor: '',
    },
    {
      what: 'peak memory of one event over https ÷ `node -e 0`',
      value: memoryRatio(https, 'pagerduty-alert failure', 'node -e 0'),
      limit: 1.45,
      floor: 'node:https by hand takes 1.3; undici’s parser is compiled from WebAssembly in every process',
    },
    { what: 'image, MB unpacked', value: container?.unpackedMb, limit: 118, floor: '' },
    { what: 'image, MB gzip’d', value: container?.gzipMb, limit: 44, floor: '' },
    {
      what: 'an event from a fresh container ÷ one from a curl container',
      value:
        container === undefined
          ? undefined
          : costRatio(container.costs, 'pagerduty-alert container', 'curl container'),
      limit: 1.2,
      floor: '',
    },
  ]
  const rows = targets.map(({ what, value, limit, floor }) => {
    const isMet = value !== undefined && value <= limit
    const found = value === undefined ? 'not measured' : value.toFixed(2)
    return `| ${what} | ${limit} | ${found} | ${isMet ? 'met' : floor} |`
  })
  return `| | at most | here | |\n|---|---:|---:|---|\n${rows.join('\n')}\n`
}

function timeRatio(section: Section, one: string, other: string): number | undefined {
  return costRatio(section.costs, one, other)
}

function ratioOf(section: Section, one: string): string {
  return timeRatio(section, one, 'node -e 0')?.toFixed(2) ?? 'not measured'
}

function memoryRatio({ costs }: Section, one: string, other: string): number | undefined {
  const [a, b] = [one, other].map((name) => costs.find((cost) => cost.name === name)?.peakMb)
  return a === undefined || b === undefined ? undefined : a / b
}

function costRatio(costs: readonly Cost[], one: string, other: string): number | undefined {
  const [a, b] = [one, other].map((name) => costs.find((cost) => cost.name === name)?.ms)
  return a === undefined || b === undefined ? undefined : a / b
}

function ratio(value: number, floor: number | undefined): string {
  return floor === undefined ? '' : (value / floor).toFixed(2)
}
