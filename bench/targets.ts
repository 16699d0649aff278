import { CONTAINERS, LAYERS } from './container.ts'
import type { Figures } from './figures.ts'
import { costOf, timeRatio, type Cost } from './measure.ts'
import { SENDING } from './one-shot.ts'
import { TWO_CURLS } from './peers.ts'
import { CURLS } from './relay-caller.ts'
import { RELAYS } from './relay-load.ts'
import { RUN_ENDINGS } from './run-ending.ts'
import { ROUND_TRIP_MS } from './servers.ts'
import { growthExponent, median, medianRatio } from './statistics.ts'
import { show, type Target } from './target.ts'

/** Every target and what was measured. */
export function targetsOf(figures: Figures): Target[] {
  return [
    ...oneShotTargets(figures),
    ...runTargets(figures),
    ...relayTargets(figures),
    ...factTargets(figures),
    ...imageTargets(figures),
    growthTarget(figures),
  ]
}

const NODE = 'node -e 0'

function oneShotTargets({ idle, https, far }: Figures): Target[] {
  const byHand = show(timeRatio(https?.costs ?? [], 'node:https by hand', NODE))
  const farByHand = show(timeRatio(far?.costs ?? [], 'node:https by hand', 'bash + curl'))
  const [ourPeak, floorPeak, handPeak] = [SENDING.failure, NODE, 'node:https by hand'].map(
    (name) => costOf(https?.costs ?? [], name)?.peakMb,
  )
  const twoEvents = (curls: keyof typeof TWO_CURLS, limit: number, floor: string): Target => ({
    what: `Two events over HTTPS and 50 ms ÷ \`${TWO_CURLS[curls]}\``,
    limit,
    value: timeRatio(far?.costs ?? [], SENDING.success, TWO_CURLS[curls]),
    floor,
  })
  const idleTarget = (what: string, name: string, limit: number, floor: string): Target => ({
    what: `${what} ÷ \`${NODE}\``,
    limit,
    value: timeRatio(idle?.costs ?? [], name, NODE),
    floor,
  })
  return [
    {
      what: 'One event over HTTPS and 50 ms ÷ bash + curl',
      limit: 1.2,
      value: timeRatio(far?.costs ?? [], SENDING.failure, 'bash + curl'),
      floor: `\`node:https\` by hand: ${farByHand}. Node starts 20 ms later than curl. Closer: still less to load before the first packet`,
    },
    twoEvents('inTurn', 0.65, 'the path takes three round trips of the six'),
    twoEvents('sideBySide', 1.25, `\`node:https\` by hand, one event: ${farByHand}`),
    {
      what: `One event over HTTPS, loopback ÷ \`${NODE}\``,
      limit: 2.2,
      value: timeRatio(https?.costs ?? [], SENDING.failure, NODE),
      floor: `\`node:https\` by hand: ${byHand}; the rest is undici’s client and parser. Closer: a client of our own on \`node:tls\``,
    },
    idleTarget(
      '`--help`',
      'pagerduty-alert --help',
      1.12,
      `\`--version\`: ${show(timeRatio(idle?.costs ?? [], 'pagerduty-alert --version', NODE))}; each file costs half a millisecond to find and load. Closer: one file`,
    ),
    idleTarget(
      'A refusal',
      'pagerduty-alert, a refusal',
      1.12,
      'the settings are read before they are refused. Closer: one file',
    ),
    idleTarget('`--dry-run`', 'pagerduty-alert success --dry-run', 1.8, 'building and printing two events'),
    {
      what: `Peak memory of one event over HTTPS ÷ \`${NODE}\``,
      limit: 1.35,
      value: quotient(ourPeak, floorPeak),
      floor: `\`node:https\` by hand: ${show(quotient(handPeak, floorPeak))}; undici’s parser is compiled from WebAssembly in every process. Closer: another client`,
    },
  ]
}

function runTargets({ runEnding = [], idle }: Figures): Target[] {
  const nodeMs = medianMs(costOf(idle?.costs ?? [], NODE))
  const ending = (name: keyof typeof RUN_ENDINGS, limit: number, floor: string): Target => ({
    what: `From a command’s end to the end of ${RUN_ENDINGS[name]} ÷ \`${RUN_ENDINGS.curl}\``,
    limit,
    value: timeRatio(runEnding, RUN_ENDINGS[name], RUN_ENDINGS.curl),
    floor,
  })
  const dryMs = medianMs(costOf(runEnding, RUN_ENDINGS.dryRun))
  return [
    ending('success', 0.95, 'one round trip, over connections that are open already'),
    ending('failure', 0.95, 'one round trip, over a connection that is open already'),
    ending('relayed', 0.15, 'the relay’s fdatasync, and the end of the process'),
    {
      what: 'From a command’s end to the end of `run --dry-run`, ms',
      limit: 5,
      value: dryMs,
      floor: `a Node that only starts the command and exits with it: 4 to 5 ms (\`node -e 0\` as a whole: ${show(nodeMs)})`,
    },
  ]
}

function relayTargets({ relayLoad = [], callers, curls = [], deliveryRate, http }: Figures): Target[] {
  const relay = (name: string) => relayLoad.find((one) => one.name === name)
  const bare = relay(RELAYS.passthrough)
  const rate = (name: string) => ratioOf(relay(name)?.rates, bare?.rates)
  const p99s = relay(RELAYS.durable)?.p99sMs
  const bareP99Ms = bare && median(bare.p99sMs)
  const bareCaller = ratioOf(callers?.passthrough, callers?.fdatasync)
  const startMs = medianMs(costOf(http?.costs ?? [], 'bash + curl'))
  const directMs = medianMs(costOf(curls, CURLS.direct))
  return [
    {
      what: 'Relay, synchronous, events a second ÷ bare Fastify + undici',
      limit: 0.7,
      isLeast: true,
      value: rate(RELAYS.synchronous),
      floor:
        '1.0, which checks nothing; both make the same system calls. The rest is spread over reading, checking, counting and timing each event: no function has more than 4 %',
    },
    {
      what: 'Relay, durable, accepted a second ÷ bare Fastify + undici',
      limit: 1.4,
      isLeast: true,
      value: rate(RELAYS.durable),
      floor: `bare Fastify + SQLite, which checks nothing, puts nothing in order and finds nothing again: ${show(rate(RELAYS.bareDurable))}`,
    },
    {
      what: 'Relay, durable, accepted and delivered a second ÷ bare Fastify + undici',
      limit: 0.75,
      isLeast: true,
      value: rate(RELAYS.delivering),
      floor: `bare Fastify + SQLite + undici, which does each thing once, in one thread: ${show(rate(RELAYS.bareDelivering))}`,
    },
    {
      what: 'Relay, durable, p99 at 64 connections, ms (10, or as bare Fastify + undici)',
      limit: largest(10, bareP99Ms),
      value: p99s && median(p99s),
      floor: `bare Fastify + undici, without a disk: ${show(bareP99Ms)}; it is 64 times the time of one event`,
    },
    {
      what: 'Relay, durable, p50 of one caller ÷ fdatasync (2.5, or one more than bare Fastify + undici)',
      limit: largest(2.5, bareCaller && bareCaller + 1),
      value: ratioOf(callers?.durable, callers?.fdatasync),
      floor: `bare Fastify + SQLite: ${show(ratioOf(callers?.bareDurable, callers?.fdatasync))}; bare Fastify + undici, which syncs nothing: ${show(bareCaller)}`,
    },
    {
      what: 'curl to a relay with a spool ÷ curl to PagerDuty, 50 ms away',
      limit: 0.1,
      value: timeRatio(curls, CURLS.durable, CURLS.direct),
      floor: `curl’s own start: ${show(quotient(startMs, directMs))}`,
    },
    {
      what: 'curl to a synchronous relay ÷ curl to PagerDuty, 50 ms away',
      limit: 0.42,
      value: timeRatio(curls, CURLS.synchronous, CURLS.direct),
      floor: `curl’s own start and one round trip: ${show(quotient(startMs && startMs + ROUND_TRIP_MS, directMs))}`,
    },
    {
      what: 'Delivered per second with one routing key over 50 ms, without the rate limit',
      limit: 500,
      isLeast: true,
      value: deliveryRate,
      floor: '256 are in flight at a time, which allows 5,120',
    },
    {
      what: 'Relay, idle memory ÷ bare Fastify + undici',
      limit: 1.1,
      value: quotient(relay(RELAYS.durable)?.idleMb, bare?.idleMb),
      floor: 'Fastify and undici themselves',
    },
    {
      what: 'Relay, durable and delivering, peak memory ÷ bare Fastify + undici',
      limit: 0.8,
      value: quotient(relay(RELAYS.delivering)?.peakMb, bare?.peakMb),
      floor: `bare Fastify + SQLite + undici: ${show(quotient(relay(RELAYS.bareDelivering)?.peakMb, bare?.peakMb))}; V8 lets garbage grow before it collects, and a smaller young generation costs throughput`,
    },
  ]
}

function factTargets({ sections }: Figures): Target[] {
  return sections.flatMap(({ facts }) =>
    facts.flatMap(({ name, unit, values, target }) =>
      target === undefined
        ? []
        : [{ what: unit === '' ? name : `${name}, ${unit}`, value: median(values), ...target }],
    ),
  )
}

function imageTargets({ container }: Figures): Target[] {
  return [
    {
      what: 'Image, MB unpacked',
      limit: 118,
      value: container?.unpackedMb,
      floor: 'Node without its symbols, and its libraries: 113.9',
    },
    {
      what: 'Image, MB gzip’d',
      limit: 44,
      value: container?.gzipMb,
      floor: 'Node without its symbols and other languages, and its libraries: 34.0',
    },
    {
      what: 'Image, MB gzip’d of the layer that changes with a release',
      limit: 1,
      value: costOfLayer(container),
      floor: 'the program itself, and V8’s code cache of it',
    },
    {
      what: 'An event from a fresh container ÷ the same from a curl container',
      limit: 1.2,
      value: timeRatio(container?.costs ?? [], CONTAINERS.ours, CONTAINERS.curl),
      floor: 'both wait for Docker; Node starts 30 ms later than curl. Closer: less to load',
    },
  ]
}

function costOfLayer(container: Figures['container']): number | undefined {
  return container?.layers.find(({ name }) => name === LAYERS.at(-1))?.gzipMb
}

function growthTarget({ growth }: Figures): Target {
  const steepest = growth
    .map(({ name, points }) => ({ name, exponent: growthExponent(points) }))
    .toSorted((a, b) => b.exponent - a.exponent)[0]
  return {
    what: 'Growth, exponent of the steepest curve (1 is linear, 0.1 is noise)',
    limit: 1.1,
    value: steepest?.exponent,
    floor: `1; the steepest is “${steepest?.name ?? ''}”. SQLite alone, filled with the rows of a spool: 1.13 to 1.20`,
  }
}

function ratioOf(
  values: readonly number[] | undefined,
  others: readonly number[] | undefined,
): number | undefined {
  return values && others && medianRatio(values, others)
}

/** The larger of a limit and what was measured, to two decimals. */
function largest(limit: number, measured: number | undefined): number {
  return Math.max(limit, Number((measured ?? 0).toFixed(2)))
}

function medianMs(cost: Cost | undefined): number | undefined {
  return cost && median(cost.times)
}

function quotient(value: number | undefined, other: number | undefined): number | undefined {
  return value === undefined || other === undefined ? undefined : value / other
}
