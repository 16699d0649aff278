import type { ContainerFigures } from './container.ts'
import type { FactSection } from './fact.ts'
import type { Figures, Machine } from './figures.ts'
import type { Growth } from './growth.ts'
import { costOf, type Cost } from './measure.ts'
import { mergeRuns } from './merge-runs.ts'
import type { OneShots } from './one-shot.ts'
import type { CallerCosts } from './relay-caller.ts'
import { RELAYS, type RelayCost } from './relay-load.ts'
import { resultsOf, type Result } from './results.ts'
import { RUN_CASES, type RunCost } from './run.ts'
import { RUN_ENDINGS } from './run-ending.ts'
import { growthExponent, median, medianRatio } from './statistics.ts'
import { isMet, show } from './target.ts'

/**
 * The titles of the one-shot sections and what they are compared with, by their names in the figures, which are also the
 * names of their plots.
 */
export const ONE_SHOTS = {
  idle: { title: 'Nothing sent', base: 'node -e 0' },
  http: { title: 'One event over HTTP, loopback', base: 'node -e 0' },
  https: { title: 'One event over HTTPS, loopback', base: 'node -e 0' },
  far: { title: 'One event over HTTPS, 50 ms round trip', base: 'bash + curl' },
} as const

/** The name of a growth curve's plot in `docs/performance`. */
export function plotName({ name }: Growth): string {
  return `${name.replaceAll(/\W+/g, '-')}.svg`
}

/**
 * `docs/performance.md`. Ratios are medians of each round's own, since the times are those of one machine on one day.
 * @param runs at least one
 */
export function performancePage(runs: readonly Figures[]): string {
  const figures = mergeRuns(runs)
  const { run, runEnding, relayLoad, callers, curls, sections, container, growth, failed } = figures
  return [
    HEAD,
    machineText(figures.machine),
    ...(failed.length === 0 ? [] : [failedText(figures)]),
    targetText(resultsOf(runs), runs.length),
    ...(['idle', 'http', 'https', 'far'] as const).flatMap((name) => oneShotText(name, figures[name]) ?? []),
    ...(run === undefined ? [] : [runText(run)]),
    ...(runEnding === undefined ? [] : [runEndingText(runEnding)]),
    ...(relayLoad === undefined ? [] : [relayText(relayLoad)]),
    ...(callers === undefined ? [] : [callerText(callers)]),
    ...(curls === undefined ? [] : [curlText(curls)]),
    ...sections.map(sectionText),
    ...(container === undefined ? [] : [containerText(container)]),
    ...(growth.length === 0 ? [] : ['## Growth\n', GROWTH_HEAD, ...growth.map(growthText)]),
    howText(figures.isFarByPacket),
  ].join('\n')
}

const HEAD = `# Performance

<!-- Written by \`npm run bench\`. -->

How long the program takes and how much memory it needs, next to other tools that do the same work. What is compared is measured
in turns. The times are those of one machine on one day, so compare the ratios.
`

const howText = (isFarByPacket: boolean): string => `## How to repeat it

\`npm ci && npm run bench\` measures everything again and writes this page, in about eight minutes; \`npm run bench -- --runs 3\`
does so three times and shows how much the runs differ. It uses GNU time, curl, jq, Python, zstd and Chromium if they are
installed, and the two images if you have built them:
\`docker build -t pagerduty-alert . && docker build -t pagerduty-alert:shell --target shell .\`

Each round measures every row of a table once, in turns, after one round to warm up (two for relays). A time is the median of
all rounds of all runs, and a ratio is the median of the ratios of each round. The stand-in for PagerDuty answers at once.
${isFarByPacket ? BY_PACKET : BY_PROXY}
V8's code cache is next to the program, as in the image. The load on the relays comes from a separate process that speaks HTTP
on bare sockets; the first line of that table is what load generator and stand-in reach without a relay.
`

const BY_PACKET = `The path with a round trip of 50 ms is a TUN device that delays every packet by half of it.`

const BY_PROXY = `The path with a round trip of 50 ms is a proxy that delays every byte by half of it, and the first of a connection by one
round trip more, as TCP's handshake would; a client that does something else before it speaks loses less time there than in a network.`

const GROWTH_HEAD = `The exponent says how the cost grows with the size: 1 is linear, 0 is constant. It is computed from the last three points,
each the fastest of its runs. The dotted line grows linearly. A spool of up to 32 MB is checked when it is
opened, a larger one is not.
`

function machineText({
  date,
  processor,
  cores,
  memoryGb,
  kernel,
  nodeVersion,
  loadAverage,
}: Machine): string {
  return (
    `${date.toISOString().slice(0, 10)}, ${processor}, ${cores} cores, ${memoryGb} GiB, ${kernel}, Node ${nodeVersion}; ` +
    `load average at the beginning ${loadAverage.toFixed(1)}.\n`
  )
}

function failedText({ failed }: Figures): string {
  const lines = failed.map(({ name, reason }) => `- ${name}: ${reason.split('\n')[0]}`)
  return `Not measured in this run:\n\n${lines.join('\n')}\n`
}

function targetText(results: readonly Result[], runs: number): string {
  const rows = results.map((result) => {
    const { what, limit, isLeast = false, value, floor, spread } = result
    const met = isMet(result)
    const verdict = met === undefined ? '' : met ? 'met' : `**missed**; floor: ${floor}`
    const range = spread && `${show(spread.least)} – ${show(spread.most)}`
    return [what, `${isLeast ? '≥' : '≤'} ${limit}`, show(value), ...(runs > 1 ? [range ?? ''] : []), verdict]
  })
  const head = ['', 'target', 'here', ...(runs > 1 ? [`least and most of ${runs} runs`] : []), '']
  return `## Targets\n\n${table(head, rows)}`
}

function sectionText({ title, note, facts }: FactSection): string {
  const rows = facts.map(({ name, unit, values, remark = '' }) => [
    name,
    `${show(median(values))}${unit && ` ${unit}`}`,
    remark,
  ])
  return `## ${title}\n\n${note}\n\n${table(['', 'median', ''], rows)}`
}

function oneShotText(name: keyof typeof ONE_SHOTS, found: OneShots | undefined): string | undefined {
  if (found === undefined) return undefined
  const { title, base } = ONE_SHOTS[name]
  const [floor] = found.costs
  const compared = costOf(found.costs, base)
  const rows = found.costs.map(({ name: what, times, peakMb }) => [
    what,
    median(times).toFixed(0),
    ratio(times, compared?.times),
    peakMb === undefined || floor?.peakMb === undefined ? '' : (peakMb / floor.peakMb).toFixed(2),
  ])
  const absent =
    found.missing.length === 0
      ? ''
      : `\nNot measured, because they are not installed here: ${found.missing.join(', ')}.\n`
  return (
    `## ${title}\n\n![${title}](performance/${name}.svg)\n\n` +
    `${table(['command', 'ms', `× ${base}`, 'peak memory × node -e 0'], rows)}${absent}`
  )
}

function runText(costs: readonly RunCost[]): string {
  const start = costs.find(({ name }) => name === RUN_CASES.nothing)
  const without = (times: readonly number[], startTimes: readonly number[] = []): number =>
    median(times) - median(startTimes)
  const rows = costs.map((cost) => [
    cost.name,
    median(cost.bareMs).toFixed(0),
    median(cost.watchedMs).toFixed(0),
    ratio(cost.watchedMs, cost.bareMs),
    cost === start
      ? ''
      : (without(cost.watchedMs, start?.watchedMs) / without(cost.bareMs, start?.bareMs)).toFixed(2),
  ])
  const head = ['what it prints', 'bare, ms', 'with run, ms', '×', '×, without start and end']
  return `## A command watched by run\n\n${table(head, rows)}`
}

function runEndingText(costs: readonly Cost[]): string {
  const rows = costs.map(({ name, times }) => [name, median(times).toFixed(1), ratio(times, costs[0]?.times)])
  return (
    '## What follows the end of a watched command\n\n' +
    'From the end of the command to the end of the process that reports it, over HTTPS and 50 ms.\n\n' +
    table(['', 'ms', `× ${RUN_ENDINGS.curl}`], rows)
  )
}

function relayText(costs: readonly RelayCost[]): string {
  const bare = costs.find(({ name }) => name === RELAYS.passthrough)
  const rows = costs.map(({ name, rates, p99sMs, idleMb, peakMb }) => [
    name,
    Math.round(median(rates)).toLocaleString('en'),
    ratio(rates, bare?.rates),
    median(p99sMs).toFixed(1),
    idleMb?.toFixed(0) ?? '',
    peakMb?.toFixed(0) ?? '',
  ])
  const head = ['relay', 'events/s', '× passthrough', 'p99, ms', 'idle, MB', 'peak, MB']
  return `## Relays at 64 connections\n\nEach event is a different alert.\n\n${table(head, rows)}`
}

function callerText({ fdatasync, passthrough, bareDurable, synchronous, durable }: CallerCosts): string {
  const rows = [
    ['appending 512 bytes to a file, and fdatasync', fdatasync],
    [RELAYS.passthrough, passthrough],
    [RELAYS.bareDurable, bareDurable],
    ['serve, synchronous', synchronous],
    ['serve with a spool', durable],
  ] as const
  const cells = rows.map(([name, times]) => [name, median(times).toFixed(2), ratio(times, fdatasync)])
  return `## Relays, one caller\n\n${table(['p50 of one event after the other', 'ms', '× fdatasync'], cells)}`
}

function curlText(costs: readonly Cost[]): string {
  const rows = costs.map(({ name, times }) => [name, median(times).toFixed(0), ratio(times, costs[0]?.times)])
  return `## curl to a relay\n\n${table(['whole process', 'ms', '×'], rows)}`
}

function containerText({ unpackedMb, gzipMb, layers, costs }: ContainerFigures): string {
  const rows = costs.map(({ name, times }) => [name, median(times).toFixed(0), ratio(times, costs[0]?.times)])
  const sizes = layers.map((layer) => [
    layer.name,
    ...[layer.rawMb, layer.gzipMb, layer.zstdMb].map((mb) => mb?.toFixed(2) ?? ''),
  ])
  return (
    `## Containers\n\nThe image: ${unpackedMb.toFixed(1)} MB unpacked, ${gzipMb.toFixed(1)} MB as \`docker save | gzip\`.\n\n` +
    `${table(['layer, from below', 'MB', 'MB, gzip', 'MB, zstd'], sizes)}\n${IMAGE_NOTE}\n` +
    table(['from `docker run` to its end', 'ms', '× curl'], rows)
  )
}

const IMAGE_NOTE = `With an older release at hand, only the layers that changed are pulled: nearly always the last one, since all files have the
same date. Node is 108.5 MB of the whole, 33.0 MB of them the data of ICU. [build/trim-icu.ts](../build/trim-icu.ts) fills 23.2 MB
of that with zeros: the layer is as large as before on the disk, but 34.0 MB instead of 42.6 MB to pull, and 25 MB if it is
packed with zstd at level 19. Node's symbols, npm, and its headers are not in the image. Half of the size on the disk takes a
Node that was compiled without ICU and the inspector; those of npm and Debian have both.
`

function growthText(growth: Growth): string {
  const { name, unit, points } = growth
  const rows = points.map(({ size, cost }) => [size.toLocaleString('en'), cost.toFixed(2)])
  return (
    `### ${name}: exponent ${growthExponent(points).toFixed(2)}\n\n![${name}](performance/${plotName(growth)})\n\n` +
    table([unit, 'ms'], rows)
  )
}

function ratio(values: readonly number[], floor: readonly number[] | undefined): string {
  return floor === undefined ? '' : medianRatio(values, floor).toFixed(2)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = head.map((title, column) => (column === 0 || title === '' ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line), ''].join('\n')
}
