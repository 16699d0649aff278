import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { parse } from 'yaml'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { skipWithoutDocker } from '../support/docker.ts'
import { NEEDS_POSTGRES, startCluster, type Cluster } from '../support/postgres.ts'
import { KEY } from '../support/program.ts'
import { alertBody, post } from '../support/relay.ts'
import { skipWithout } from '../support/required.ts'
import { until } from '../support/until.ts'
import { buildImage, runContainer, startReachableSimulator, urlFor, type RunningContainer } from './image.ts'

/** A service of compose.yaml, as far as the page uses them. */
interface Service {
  readonly command: readonly string[]
  readonly user?: string
  readonly environment: Readonly<Record<string, string>>
  readonly volumes: readonly string[]
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly configs: { readonly roles: { readonly content: string } }
}

const PAGE = readFileSync(new URL('../../docs/fleet.md', import.meta.url), 'utf8')
const COMPOSE = parse(/^```yaml compose\.yaml\n([\s\S]*?)^```$/m.exec(PAGE)?.[1] ?? '', {
  merge: true,
}) as Compose
const RELAYS = ['relay-1', 'relay-2', 'relay-3']
const SOCKETS = '/var/run/postgresql'
const DOCKER = await skipWithoutDocker()

/**
 * The services of the page's compose.yaml but `db`, in Docker, with what the file gives them. The database is a PostgreSQL on
 * this machine that lets everybody in at its socket, as the official image does.
 */
suite('compose.yaml of docs/fleet.md', { skip: DOCKER || skipWithout(...NEEDS_POSTGRES) }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'compose-'))
  let image = ''
  let simulator: Simulator
  let cluster: Cluster
  let sockets = ''
  before(async () => {
    image = await buildImage()
    simulator = await startReachableSimulator()
    cluster = await startCluster({ access: ['local all all trust'] })
    const primary = cluster.primary()
    const [setting] = await primary.query<{ unix_socket_directories: string }>('SHOW unix_socket_directories')
    sockets = setting?.unix_socket_directories ?? ''
    chmodSync(sockets, 0o755)
    symlinkSync(`.s.PGSQL.${primary.port}`, join(sockets, '.s.PGSQL.5432'))
    await primary.query('CREATE ROLE owner SUPERUSER LOGIN')
    await primary.query(COMPOSE.configs.roles.content)
  })
  after(async () => {
    await cluster.close()
    await simulator.close()
    rmSync(folder, { recursive: true })
  })

  const start = async (name: string, whileRunning?: (container: RunningContainer) => Promise<void>) => {
    const { command, user, environment, volumes } = COMPOSE.services[name] ?? assert.fail(name)
    return await runContainer(
      image,
      {
        command,
        ...(user !== undefined && { user }),
        env: { ...environment, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: urlFor(simulator) },
        binds: volumes.map((volume) => {
          const [source = '', target = ''] = volume.split(':')
          return `${target === SOCKETS ? sockets : join(folder, source)}:${target}`
        }),
        ...(name.startsWith('relay-') && { port: 8080 }),
      },
      whileRunning,
    )
  }

  /** Runs services at the same time, and hands over all of them once they run. */
  const startAll = async (
    names: readonly string[],
    whileRunning: (containers: readonly RunningContainer[]) => Promise<void>,
    running: readonly RunningContainer[] = [],
  ): Promise<void> => {
    const [name, ...others] = names
    if (name === undefined) return await whileRunning(running)
    await start(name, async (container) => {
      const url = await container.url()
      const isReady = (): Promise<boolean> =>
        fetch(`${url}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        )
      await until(isReady, `${name} is ready`, 60_000)
      await startAll(others, whileRunning, [...running, container])
      await container.stop().catch(() => undefined) // one that a test has killed
    })
  }

  test('migrate makes the tables, and three relays share one queue', async () => {
    const migrated = await start('migrate')
    assert.equal(migrated.exitCode, 0, migrated.stderr)
    await startAll(RELAYS, async (containers) => {
      const urls = await Promise.all(containers.map(({ url }) => url()))
      for (const [index, url] of urls.entries()) {
        const answer = await post(`${url}/v2/enqueue`, alertBody({ dedup_key: `at relay ${index + 1}` }))
        assert.equal(answer.status, 202)
        assert.equal(answer.headers.get('x-accepted-by'), 'fleet')
      }
      await until(() => simulator.alerts.length === RELAYS.length, 'all is delivered', 60_000)
      await containers[0]?.kill('SIGKILL')
      const [, second = '', third = ''] = urls
      const answer = await post(`${second}/v2/enqueue`, alertBody({ dedup_key: 'after the death of one' }))
      assert.equal(answer.status, 202)
      await until(() => simulator.alerts.length === RELAYS.length + 1, 'the others deliver', 60_000)
      const delivered = async (): Promise<number> => {
        const list = await (await fetch(`${third}/events?status=delivered`)).json()
        return (list as { counts: { delivered: number } }).counts.delivered
      }
      await until(async () => (await delivered()) === RELAYS.length + 1, 'the third one knows', 30_000)
    })
  })
})
