import { buildTrigger, type EventInput } from '../src/core/build-event.ts'
import type { Event } from '../src/core/event.ts'
import { buildStarted } from '../src/core/started.ts'
import type { ListedSpool } from '../src/spool/listing.ts'
import type { SpoolKey } from '../src/spool/spool.ts'

/** The names of what is measured, in the page. */
export const WORKS = {
  list: 'listing the newest 200 deployments',
  filter: 'listing deployments, filtered by what none has',
  text: 'listing deployments, searched for what none has',
  current: 'listing what is deployed where',
  figures: 'counting deployments for the metrics',
  start: 'one more start among open deadlines',
  outcome: 'one outcome among open deadlines',
  expire: 'looking for deadlines that have passed',
  running: 'listing 200 that run',
} as const

const ENVIRONMENTS = ['production', 'staging', 'review']

/** A build of its own; a hundred repositories take turns, and each is deployed to three environments. */
function inputOf(number: number): EventInput {
  const repository = `acme/shop-${number % 100}`
  const environment = ENVIRONMENTS[number % ENVIRONMENTS.length] ?? 'production'
  return {
    fields: {},
    build: {
      ci: 'Codeship',
      repository,
      branch: 'master',
      commit: number.toString(16).padStart(40, '5'),
      commitMessage: `Fix the checkout for the ${number}th time`,
      committer: 'Jane Doe',
      buildId: String(number),
      buildUrl: `https://ci.example.com/builds/${number}`,
      origins: {},
    },
    environment,
    identity: {
      source: { value: repository, origin: 'CI_REPO_NAME' },
      environment: { value: environment, origin: '--environment' },
      dedupKey: { value: `deploy/${repository}/${environment}`, origin: 'CI_REPO_NAME' },
    },
    result: { exitCode: 1, durationSeconds: 90 },
    nowIso: new Date(1_772_366_400_000 + number * 1000).toISOString(),
  }
}

function startedEvent(number: number): Event {
  return buildStarted(inputOf(number))
}

/** The alert that it has failed. */
export function failedEvent(number: number): Event {
  const input = inputOf(number)
  return buildTrigger(input, { outcome: 'failure' }, input.identity.dedupKey?.value ?? '')
}

/** The routing key of the relays. */
export const RELAY_KEY: SpoolKey = { kind: 'configured', name: 'default' }

const HOUR_MS = 3_600_000
const AT_ONCE = 500

/** Begins one deployment that has an hour. @throws if the spool does not keep it */
export async function beginOne(spool: ListedSpool, number: number): Promise<void> {
  const start = { event: startedEvent(number), keys: [RELAY_KEY], withinMs: HOUR_MS }
  const { kind } = await spool.deadlines.begin(start)
  if (kind !== 'running') throw new Error(`the start was not kept: ${kind}`)
}

/** Begins deployments with the numbers from 0 up to, not including, `count`. */
export async function beginAll(spool: ListedSpool, count: number): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => from + index)
    await Promise.all(numbers.map((number) => beginOne(spool, number)))
  }
}
