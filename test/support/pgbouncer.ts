import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'
import { DATABASE, NOBODY, type Cluster } from './postgres.ts'
import { programPath } from './required.ts'

/**
 * PgBouncer in front of a cluster's primary, which lends few connections for one transaction each. Ended after the test.
 * @returns its address for a user with a password, in the form of PAGERDUTY_FLEET
 */
export async function startPgbouncer(
  t: TestContext,
  cluster: Cluster,
  user: string,
  password: string,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'))
  chmodSync(folder, 0o755)
  const isRoot = process.getuid?.() === 0
  if (isRoot) chownSync(folder, NOBODY, NOBODY)
  const port = await freePort()
  writeFileSync(join(folder, 'users'), `"${user}" "${password}"\n`)
  writeFileSync(
    join(folder, 'ini'),
    `[databases]
${DATABASE} = host=127.0.0.1 port=${cluster.primary().port} dbname=${DATABASE}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(folder, 'users')}
pool_mode = transaction
default_pool_size = 4
`,
  )
  const asUser = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
  const child = spawn(programPath('pgbouncer'), ['-q', join(folder, 'ini')], { ...asUser, stdio: 'ignore' })
  t.after(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    rmSync(folder, { recursive: true })
  })
  const url = `postgres://${user}:${password}@127.0.0.1:${port}/${DATABASE}`
  await untilItAnswers(url)
  return url
}

async function untilItAnswers(url: string): Promise<void> {
  const untilMs = Date.now() + 60_000
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await client.end()
    } catch (error) {
      if (Date.now() > untilMs) throw error
      await sleep(50)
    }
  }
}
