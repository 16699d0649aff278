import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { programPath } from './required.ts'

/** What a test needs to use a cluster. */
export const NEEDS_POSTGRES = ['initdb', 'postgres', 'linux'] as const
/** What it needs for several nodes. */
export const NEEDS_STANDBYS = [...NEEDS_POSTGRES, 'pg_basebackup', 'pg_ctl'] as const

/** The superuser of a cluster, who may connect from this machine without a password. */
const ADMIN = 'admin'
export const DATABASE = 'pagerduty'
/** PostgreSQL does not run as root: then it runs as the user and group nobody. */
export const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
const asUser: SpawnOptions = isRoot ? { uid: NOBODY, gid: NOBODY } : {}

/** One server of a cluster. */
export interface Node {
  readonly name: string
  readonly port: number
  /** Runs SQL as the administrator. */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** Starts it, and waits until it answers. */
  start(): Promise<void>
  /** Stops it in order, as for an upgrade. */
  stop(): Promise<void>
  /** Kills every process of it, as a power failure would. */
  kill(): Promise<void>
  /** Stops every process of it where it is, until `thaw`. */
  freeze(): void
  thaw(): void
}

/** A primary, and standbys that follow it. */
export interface Cluster {
  readonly nodes: readonly Node[]
  /** The node that accepts writes, as far as the test has changed that. */
  primary(): Node
  /** Makes the standby that has the most the new primary, and the other standbys follow it. */
  promote(): Promise<Node>
  /** Makes a node that was killed or left behind a standby of the primary. */
  rejoin(node: Node): Promise<void>
  /** The address of all nodes for a user, in the form of PAGERDUTY_FLEET. */
  url(user?: string, password?: string): string
  close(): Promise<void>
}

export interface ClusterOptions {
  /** One that stands alone, or several: every commit then waits for one standby. */
  readonly nodes?: number
  /** Further lines of postgresql.conf. */
  readonly settings?: readonly string[]
  /** Lines of pg_hba.conf before those that let the administrator in and ask everybody else for a password. */
  readonly access?: readonly string[]
  /** Where the standbys run, if not beside the primary. */
  readonly standbyNetwork?: NodeNetwork
}

/** A network of its own for standbys. */
export interface NodeNetwork {
  /** Runs what follows it in that network. */
  readonly command: readonly string[]
  /** This machine's address there. */
  readonly machine: string
}

/** Makes a cluster in a directory of its own. Takes about two seconds, and two more for each standby. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const directory = mkdtempSync(join(tmpdir(), 'postgres-'))
  chmodSync(directory, 0o755)
  const count = options.nodes ?? 1
  const nodes: RunningNode[] = []
  const killAll = (): void => nodes.forEach(({ killNow }) => killNow())
  process.once('exit', killAll) // also when a test fails before it can close the cluster
  for (let index = 0; index < count; index++) {
    const network = index === 0 ? undefined : options.standbyNetwork
    nodes.push(await createNode(directory, `node${index + 1}`, network))
  }
  const [first] = nodes
  if (first === undefined) throw new Error('a cluster has at least one node')
  await initialize(first, count, options)
  await first.start()
  await first.query(`CREATE DATABASE ${DATABASE}`, [], 'postgres')
  let primary = first
  const follow = async (node: RunningNode): Promise<void> => {
    await copyFrom(primary, node, options.standbyNetwork?.machine)
    await node.start()
  }
  for (const node of nodes.slice(1)) await follow(node)
  if (count > 1) {
    const standbys = nodes.map(({ name }) => name).join(', ')
    for (const node of nodes) {
      await node.query(`ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (${standbys})'`)
      await node.query('SELECT pg_reload_conf()')
    }
  }
  return {
    nodes,
    primary: () => primary,
    promote: async () => {
      const standbys = nodes.filter((node) => node !== primary)
      primary = await promoteOne(standbys)
      for (const node of standbys.filter((standby) => standby !== primary)) await pointAt(node, primary)
      return primary
    },
    rejoin: async (node) => {
      const found = nodes.find((one) => one === node)
      if (found === undefined || found === primary)
        throw new Error('only another node of the cluster can rejoin')
      await found.kill()
      await follow(found)
    },
    url: (user = ADMIN, password) => {
      const credentials = password === undefined ? user : `${user}:${encodeURIComponent(password)}`
      return `postgres://${credentials}@${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${DATABASE}`
    },
    close: async () => {
      await Promise.all(nodes.map((node) => node.kill()))
      process.off('exit', killAll)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

interface RunningNode extends Node {
  readonly directory: string
  readonly sockets: string
  readonly killNow: () => void
  query<Row = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
    database?: string,
  ): Promise<Row[]>
}

async function createNode(
  parent: string,
  name: string,
  network: NodeNetwork | undefined,
): Promise<RunningNode> {
  const directory = join(parent, name)
  mkdirSync(directory, { mode: 0o700 })
  if (isRoot) chownSync(directory, NOBODY, NOBODY)
  const sockets = join(parent, `${name}.sockets`)
  mkdirSync(sockets)
  if (isRoot) chownSync(sockets, NOBODY, NOBODY)
  const port = await freePort()
  let server: ChildProcess | undefined
  let output = ''
  const query: RunningNode['query'] = async <Row>(
    sql: string,
    values: readonly unknown[] = [],
    database = DATABASE,
  ) => {
    const client = new pg.Client({
      host: sockets,
      port,
      user: ADMIN,
      database,
      connectionTimeoutMillis: 10_000,
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return (await client.query(sql, [...values])).rows as Row[]
    } finally {
      await client.end().catch(() => undefined)
    }
  }
  const killNow = (): void => stoppedProcessesOf(server?.pid).forEach((pid) => send(pid, 'SIGKILL'))
  const ended = async (): Promise<void> => {
    const process = server
    if (process !== undefined && process.exitCode === null && process.signalCode === null)
      await once(process, 'exit')
    server = undefined
  }
  return {
    name,
    port,
    directory,
    sockets,
    query,
    start: async () => {
      if (server !== undefined) return
      const command = [programPath('postgres'), '-D', directory, '-k', sockets, '-p', String(port)]
      server = network === undefined ? spawnAsUser(command) : spawnIn(network, command)
      output = ''
      for (const stream of [server.stdout, server.stderr]) {
        stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4000)))
      }
      await waitUntilReady(
        query,
        () => server?.exitCode ?? null,
        () => output,
      )
    },
    stop: async () => {
      server?.kill('SIGINT') // "fast" shutdown
      await ended()
    },
    killNow,
    kill: async () => {
      const pids = stoppedProcessesOf(server?.pid)
      pids.forEach((pid) => send(pid, 'SIGKILL'))
      await ended()
      // The next server does not start while one of them still has the shared memory.
      while (pids.some(isRunning)) await sleep(20)
    },
    freeze: () => stoppedProcessesOf(server?.pid).forEach((pid) => send(pid, 'SIGSTOP')),
    thaw: () => processesOf(server?.pid).forEach((pid) => send(pid, 'SIGCONT')),
  }
}

function spawnAsUser([program = '', ...args]: readonly string[]): ChildProcess {
  return spawn(program, args, { ...asUser, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Only root may enter another network, so the user is changed there. Each program replaces the one before. */
function spawnIn(
  { command: [program = '', ...args] }: NodeNetwork,
  command: readonly string[],
): ChildProcess {
  const user = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  return spawn(program, [...args, ...user, ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
}

async function initialize(
  node: RunningNode,
  count: number,
  { settings = [], access = [] }: ClusterOptions,
): Promise<void> {
  await runAsUser('initdb', [
    '-D',
    node.directory,
    '-U',
    ADMIN,
    '-A',
    'trust',
    '--no-sync',
    '-E',
    'UTF8',
    '--locale=C',
  ])
  const lines = [
    "listen_addresses = '127.0.0.1'",
    'max_connections = 200',
    "password_encryption = 'scram-sha-256'", // the default only from version 14 on
    'fsync = off', // processes are killed, machines are not
    'shared_buffers = 32MB',
    'wal_keep_size = 256MB',
    'hot_standby = on',
    'wal_level = replica',
    'max_wal_senders = 10',
    'wal_receiver_timeout = 5s',
    'wal_sender_timeout = 5s',
    'wal_retrieve_retry_interval = 200ms',
    `cluster_name = 'test'`,
    ...(count > 1 ? [] : ['max_wal_size = 256MB']),
    ...settings,
  ]
  writeFileSync(join(node.directory, 'postgresql.auto.conf'), `${lines.join('\n')}\n`)
  const rules = [
    ...access,
    `local all ${ADMIN} trust`,
    `local replication ${ADMIN} trust`,
    `host all ${ADMIN} 127.0.0.1/32 trust`,
    `host replication ${ADMIN} 127.0.0.1/32 trust`,
    'host all all 127.0.0.1/32 scram-sha-256',
  ]
  writeFileSync(join(node.directory, 'pg_hba.conf'), `${rules.join('\n')}\n`)
}

/** @param address of the primary for the standby, if it is not the same machine's */
async function copyFrom(primary: RunningNode, node: RunningNode, address = '127.0.0.1'): Promise<void> {
  rmSync(node.directory, { recursive: true, force: true })
  mkdirSync(node.directory, { mode: 0o700 })
  if (isRoot) chownSync(node.directory, NOBODY, NOBODY)
  const source = `host=127.0.0.1 port=${primary.port} user=${ADMIN} application_name=${node.name}`
  await runAsUser('pg_basebackup', [
    '-D',
    node.directory,
    '-d',
    source,
    '-R',
    '-c',
    'fast',
    '--no-sync',
    '-X',
    'stream',
  ])
  const line = `primary_conninfo = '${source.replace('127.0.0.1', address)}'`
  appendFileSync(join(node.directory, 'postgresql.auto.conf'), `${line}\n`)
}

/** Promotes the standby that has received the most. A busy machine may let it answer late. */
async function promoteOne(standbys: readonly RunningNode[]): Promise<RunningNode> {
  const errors: unknown[] = []
  for (let tries = 0; tries < 10; tries++) {
    const positions = await Promise.all(standbys.map(receivedBytes))
    const best = standbys[positions.indexOf(Math.max(...positions))]
    try {
      const rows = await best?.query<{ pg_promote: boolean }>('SELECT pg_promote(true, 60)')
      if (best !== undefined && rows?.[0]?.pg_promote === true) return best
    } catch (error) {
      errors.push(error)
    }
    await sleep(500)
  }
  throw new AggregateError(errors, 'no standby could be promoted')
}

async function pointAt(node: RunningNode, primary: RunningNode): Promise<void> {
  const source = `host=127.0.0.1 port=${primary.port} user=${ADMIN} application_name=${node.name}`
  try {
    await node.query(`ALTER SYSTEM SET primary_conninfo = '${source}'`)
    await node.query('SELECT pg_reload_conf()')
  } catch {
    // a node that is down rejoins later
  }
}

/** A test that runs servers in its own process goes on at the same time. */
async function runAsUser(name: 'initdb' | 'pg_basebackup', args: readonly string[]): Promise<void> {
  const child = spawn(programPath(name), args, { ...asUser, stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0) throw new Error(`${name}: ${errors}`)
}

async function waitUntilReady(
  query: RunningNode['query'],
  exitCode: () => number | null,
  output: () => string,
): Promise<void> {
  const until = Date.now() + 120_000
  while (Date.now() < until) {
    if (exitCode() !== null) throw new Error(`PostgreSQL ended: ${output()}`)
    try {
      await query('SELECT 1', [], 'postgres')
      return
    } catch {
      await sleep(50)
    }
  }
  throw new Error(`PostgreSQL does not answer: ${output()}`)
}

/** How much a standby has received, in bytes; -1 if it does not answer. */
async function receivedBytes(node: Node): Promise<number> {
  try {
    const sql = "SELECT pg_wal_lsn_diff(coalesce(pg_last_wal_receive_lsn(), '0/0'), '0/0')::float8 AS bytes"
    const [row] = await node.query<{ bytes: number }>(sql)
    return row?.bytes ?? -1
  } catch {
    return -1
  }
}

/** A server and its children, which are process groups of their own. */
function processesOf(pid: number | undefined): number[] {
  if (pid === undefined) return []
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
  return [pid, ...children.map(Number)]
}

/** The same, once the server is stopped: a child that it started after the look would live on, and wait for locks forever. */
function stoppedProcessesOf(pid: number | undefined): number[] {
  if (pid === undefined) return []
  send(pid, 'SIGSTOP')
  let tries = 0
  while (/[DRS]/.test(statusOf(pid)[0] ?? '') && tries < 10_000) tries++
  return processesOf(pid)
}

function parentOf(pid: string): number | undefined {
  const parent = statusOf(pid)[1]
  return parent === undefined ? undefined : Number(parent)
}

/** Whether it has not ended; what nobody has waited for counts as ended. */
function isRunning(pid: number): boolean {
  const [state] = statusOf(pid)
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** The fields of proc(5) `stat` from the state on; none if there is no such process. */
function statusOf(pid: string | number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has already ended
  }
}
