import assert from 'node:assert/strict'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { alertBody, post } from './relay.ts'

const COMMITS = {
  good: '9a8b7c6d5e4f30211203f4e5d6c7b8a990817263',
  bad: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  search: 'c0ffee54a1b2c3d4e5f60718293a4b5c6d7e8f90',
  billing: '1d2e3f405162738495a6b7c8d9e0f1a2b3c4d5e6',
}

interface Told {
  readonly outcome: 'success' | 'failure' | 'started'
  readonly repository: string
  readonly environment: string
  readonly commit: string
  readonly message: string
  readonly committer: string
  readonly build: number
  readonly minutesAgo: number
}

/** What happens to a relay on a normal evening, so that each part of the page has something to show. */
const DEPLOYMENTS: readonly Told[] = [
  {
    outcome: 'success',
    repository: 'acme/shop',
    environment: 'production',
    commit: COMMITS.good,
    message: 'Charge cards once',
    committer: 'Jane Doe',
    build: 4201,
    minutesAgo: 1500,
  },
  {
    outcome: 'success',
    repository: 'acme/search',
    environment: 'production',
    commit: COMMITS.search,
    message: 'Cache the catalogue for five minutes',
    committer: 'Li Wei',
    build: 812,
    minutesAgo: 260,
  },
  {
    outcome: 'success',
    repository: 'acme/shop',
    environment: 'staging',
    commit: COMMITS.bad,
    message: 'Fix the price rounding',
    committer: 'Amir Haddad',
    build: 4203,
    minutesAgo: 45,
  },
  {
    outcome: 'failure',
    repository: 'acme/shop',
    environment: 'production',
    commit: COMMITS.bad,
    message: 'Fix the price rounding',
    committer: 'Amir Haddad',
    build: 4204,
    minutesAgo: 31,
  },
  {
    outcome: 'started',
    repository: 'acme/billing',
    environment: 'production',
    commit: COMMITS.billing,
    message: 'Upgrade to PostgreSQL 18',
    committer: 'Sofía Núñez',
    build: 97,
    minutesAgo: 3,
  },
]

/**
 * Tells a relay on an empty spool about deployments, one of which failed and one of which runs; about an event that
 * PagerDuty refuses, and about one that waits because PagerDuty answers 429 until the simulator is reset.
 */
export async function tellStory(url: string, simulator: Simulator): Promise<void> {
  for (const each of DEPLOYMENTS) await send(url, deploymentEvent(each), { prefer: 'wait=20' })
  simulator.behave({ behaviour: { kind: 'answer', status: 400, body: 'Invalid routing key' } })
  await send(url, alert('db-1/disk', 'Disk of db-1 is full'), { prefer: 'wait=20' })
  const busy = {
    kind: 'answer',
    status: 429,
    headers: { 'retry-after': '120' },
    body: 'Too many requests',
  } as const
  simulator.behave({ behaviour: busy })
  await send(url, alert('db-2/lag', 'Replication of db-2 is 4 minutes behind'))
  await simulator.waitForRequests(simulator.requests.length + 1, 30_000)
}

type Sent = readonly [path: string, body: object]

async function send(url: string, [path, body]: Sent, headers: Record<string, string> = {}): Promise<void> {
  const { status } = await post(url + path, body, headers)
  assert.ok(status === 202 || status === 400, String(status))
}

function alert(dedupKey: string, summary: string): Sent {
  const payload = { summary, source: 'db', severity: 'critical' }
  return ['/v2/enqueue', alertBody({ dedup_key: dedupKey, payload })]
}

function deploymentEvent(told: Told): Sent {
  const { outcome, repository, environment, commit, build } = told
  const page = `https://github.com/${repository}`
  const timestamp = new Date(Date.now() - told.minutesAgo * 60_000).toISOString()
  const payload = {
    summary: `${repository}@${commit.slice(0, 7)} to ${environment}: ${outcome}`,
    source: repository,
    severity: 'error',
    timestamp,
    custom_details: {
      outcome,
      repository,
      environment,
      branch: 'main',
      commit,
      commit_message: told.message,
      committer: told.committer,
      ci: 'Codeship',
      build_id: String(build),
      ...(outcome === 'started' ? { started_at: timestamp } : { duration_seconds: 40 + (build % 200) }),
    },
  }
  const links = [
    { href: `https://app.codeship.com/projects/1/builds/${build}`, text: 'Codeship build' },
    { href: `${page}/commit/${commit}`, text: `Commit ${commit.slice(0, 7)}` },
    { href: `${page}/compare/${COMMITS.good}...${commit}`, text: 'Changes since the build before' },
  ]
  return outcome === 'failure'
    ? ['/v2/enqueue', alertBody({ dedup_key: `deploy/${repository}/${environment}`, payload, links })]
    : ['/v2/change/enqueue', { payload, links }]
}
