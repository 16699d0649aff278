import assert from 'node:assert/strict'
import pg from 'pg'
import { after, beforeEach, test } from 'node:test'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  fleetConfig,
  fleetItem,
  forgetSecret,
  openTestFleet,
  PASSWORD,
  startFleetCluster,
} from '../../support/fleet.ts'
import { CA_FILE, certificate } from '../../support/certificates.ts'
import { NEEDS_POSTGRES, NOBODY, type Cluster } from '../../support/postgres.ts'
import { skipWithout } from '../../support/required.ts'
import { changeItem, ownKey } from '../../support/spool.ts'
import { openFleet } from '../../../src/fleet/open.ts'
import type { Engine } from '../../../src/fleet/engine.ts'

const skip = skipWithout(...NEEDS_POSTGRES)
const folder = mkdtempSync(join(tmpdir(), 'access-'))
const cluster = skip === false ? await startFleetCluster(withTls()) : undefined
after(async () => {
  await cluster?.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  if (cluster !== undefined) await forgetSecret(cluster)
})
const url = cluster?.url('relay', PASSWORD) ?? ''

/** A server with a certificate for localhost, which it uses if the client asks for TLS. */
function withTls(): { settings: string[]; access: string[] } {
  const { key, cert } = certificate('good')
  const files = { key: join(folder, 'key.pem'), cert: join(folder, 'cert.pem') }
  chmodSync(folder, 0o755)
  writeFileSync(files.key, key, { mode: 0o600 })
  writeFileSync(files.cert, cert)
  if (process.getuid?.() === 0) chownSync(files.key, NOBODY, NOBODY)
  return {
    settings: ['ssl = on', `ssl_key_file = '${files.key}'`, `ssl_cert_file = '${files.cert}'`],
    access: ['hostnossl all encrypted 127.0.0.1/32 reject'],
  }
}

async function as(user: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: cluster?.url(user, PASSWORD) ?? '' })
  await client.connect()
  return client
}

/** PostgreSQL's code for a missing right. */
const FORBIDDEN = { code: '42501' }

test(
  'the user of a relay may touch no table, and call no function that is not for relays',
  { skip },
  async () => {
    const client = await as('relay')
    try {
      const { rows: tables } = await client.query<{ name: string }>(
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'pagerduty_alert'::regnamespace AND relkind IN ('r', 'v', 'S')",
      )
      assert.ok(tables.length >= 12)
      for (const { name } of tables)
        await assert.rejects(client.query(`SELECT * FROM pagerduty_alert.${name}`), FORBIDDEN, name)
      for (const statement of [
        "INSERT INTO pagerduty_alert.relay VALUES ('x', '1', now())",
        'DELETE FROM pagerduty_alert.pending',
        'UPDATE pagerduty_alert.meta SET version = 2',
        'CREATE TABLE pagerduty_alert.mine (id integer)',
        "SELECT pagerduty_alert.known_ids('x', '{y}')",
        "SELECT pagerduty_alert.finish_delivered('{1}', '{}')",
      ])
        await assert.rejects(client.query(statement), FORBIDDEN, statement)
    } finally {
      await client.end()
    }
  },
)

test('a function cannot be made to use somebody else’s tables or operators', { skip }, async () => {
  const client = await as('relay')
  try {
    const { rows } = await client.query<{ name: string; settings: string[] | null }>(
      "SELECT proname AS name, proconfig AS settings FROM pg_proc WHERE pronamespace = 'pagerduty_alert'::regnamespace AND prosecdef",
    )
    assert.ok(rows.length >= 20)
    for (const { name, settings } of rows)
      assert.ok(settings?.includes('search_path=pagerduty_alert, pg_catalog, pg_temp'), name)
    await client.query('CREATE TEMPORARY TABLE pending (id bigint)')
    const [row] = (await client.query<{ pending: string }>('SELECT * FROM pagerduty_alert.counts()')).rows
    assert.equal(row?.pending, '0')
  } finally {
    await client.end()
  }
})

test('the user of a viewer may list, and change nothing', { skip }, async (t) => {
  const viewer = openTestFleet(t, cluster?.url('viewer', PASSWORD) ?? '')
  await assert.rejects(viewer.counts(), /rights of a relay/)
  const client = await as('viewer')
  try {
    await client.query('SELECT * FROM pagerduty_alert.counts()')
    await client.query(
      "SELECT * FROM pagerduty_alert.find('dead', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 10)",
    )
    for (const call of [
      "discard('x', '{1}', NULL)",
      "retry('{1}', true, false)",
      "release('x', NULL, NULL)",
      'tidy()',
    ])
      await assert.rejects(client.query(`SELECT pagerduty_alert.${call}`), FORBIDDEN, call)
  } finally {
    await client.end()
  }
})

test(
  'a caller’s own key and events are unreadable in the database, and open for relays with the secret',
  { skip },
  async (t) => {
    const secret = 'a secret of more than thirty-two characters'
    const one = openTestFleet(t, url, 'one', secret)
    const other = openTestFleet(t, url, 'other', secret)
    assert.equal(one.keepsOwnKeys, true)
    const key = ownKey()
    await one.add([fleetItem(changeItem('a telling summary', key))])
    const { leases } = await other.claim({ most: 10, leaseMs: 60_000, names: [] })
    const [lease] = leases
    assert.ok(lease?.key.kind === 'own' && key.kind === 'own' && lease.key.key.reveal() === key.key.reveal())
    const { events } = await other.take({
      keys: [{ ...lease, most: 10 }],
      room: 10,
      busy: [],
      rate: { permits: 10, windowMs: 62_000 },
    })
    assert.match(events[0]?.body ?? '', /a telling summary/)
    assert.equal((await other.find({ statuses: ['pending'], limit: 1 }))[0]?.summary, 'a telling summary')
    const rows = await cluster
      ?.primary()
      .query(
        'SELECT e::text AS event, k::text AS key FROM pagerduty_alert.pending AS e, pagerduty_alert.key AS k',
      )
    const stored = JSON.stringify(rows)
    for (const text of ['a telling summary', key.key.reveal()]) {
      assert.ok(!stored.includes(text))
      assert.ok(!stored.includes(Buffer.from(text).toString('hex')))
    }
    await other.settle(events.map((event) => ({ ...event, kind: 'delivered', httpStatus: 202 })))
    await other.release()
    await cluster?.primary().query("UPDATE pagerduty_alert.meta SET tidied_at = '-infinity'")
    await other.tidy()
    assert.deepEqual(await other.keys(), [])
  },
)

test('a relay with another secret, or none, is told so and does nothing', { skip }, async (t) => {
  const one = openTestFleet(t, url, 'one', 'a secret of more than thirty-two characters')
  await one.counts()
  for (const [secret, words] of [
    [
      'another secret of more than thirty-two characters',
      /the other relays have a different PAGERDUTY_FLEET_SECRET/,
    ],
    [undefined, /the other relays have PAGERDUTY_FLEET_SECRET, and this one does not/],
  ] as const) {
    const engine = openTestFleet(t, url, 'other', secret)
    await assert.rejects(engine.counts(), { kind: 'config', message: words })
    const state = engine.state()
    assert.ok(state.kind === 'down' && state.isConfiguration)
  }
})

for (const { problem, address, message } of [
  {
    problem: 'a wrong password',
    address: (c: Cluster) => c.url('relay', 'wrong'),
    message: /the user or the password is wrong \(28P01\)/,
  },
  { problem: 'no password', address: (c: Cluster) => c.url('relay'), message: /asks for a password/ },
  {
    problem: 'an unknown user',
    address: (c: Cluster) => c.url('nobody', PASSWORD),
    message: /\(28(?:P01|000)\)/,
  },
  {
    problem: 'an unknown database',
    address: (c: Cluster) => c.url('relay', PASSWORD).replace('/pagerduty', '/other'),
    message: /there is no such database/,
  },
  {
    problem: 'a database without the tables',
    address: (c: Cluster) => c.url('admin').replace('/pagerduty', '/postgres'),
    message: /has no tables of a fleet; run pagerduty-alert fleet migrate/,
  },
]) {
  test(`${problem} is named, with host and port, and without the password`, { skip }, async (t) => {
    if (cluster === undefined) return
    const engine = openTestFleet(t, address(cluster))
    await assert.rejects(engine.counts(), (error: Error) => {
      assert.match(error.message, message)
      assert.match(error.message, /^127\.0\.0\.1:\d+: /)
      assert.doesNotMatch(error.message, new RegExp(PASSWORD))
      return true
    })
  })
}

test('tables of another version are named, and which of the two is older', { skip }, async (t) => {
  for (const [version, words] of [
    [0, /this program needs 1; run pagerduty-alert fleet migrate/],
    [2, /this program knows 1; it is older than the others/],
  ] as const) {
    await cluster?.primary().query(`UPDATE pagerduty_alert.meta SET version = ${version}`)
    await assert.rejects(openTestFleet(t, url).counts(), { kind: 'config', message: words })
  }
  await cluster?.primary().query('UPDATE pagerduty_alert.meta SET version = 1')
})

/** An engine that connects with TLS to the test's server under this name. */
function encrypted(
  t: { after: (fn: () => Promise<void>) => void },
  host: string,
  ca: string | undefined,
): Engine {
  const address = url.replace('127.0.0.1', host).replace('relay:', 'encrypted:')
  const parameters = ca === undefined ? '?sslmode=verify-full' : `?sslmode=verify-full&sslrootcert=${ca}`
  const engine = openFleet({ fleet: fleetConfig(address + parameters), origin: 'relay-1', version: '1' })
  t.after(() => engine.close())
  return engine
}

test('the server’s certificate and name are verified', { skip }, async (t) => {
  await cluster?.primary().query(`CREATE ROLE encrypted LOGIN PASSWORD '${PASSWORD}' IN ROLE pagerduty_relay`)
  await encrypted(t, 'localhost', CA_FILE).counts()
  await assert.rejects(encrypted(t, 'localhost', undefined).counts(), /certificate/)
  await assert.rejects(encrypted(t, 'localhost', join(folder, 'missing.pem')).counts(), {
    kind: 'config',
    message: /the file of sslrootcert cannot be read: there is no such file/,
  })
  await assert.rejects(openTestFleet(t, url.replace('relay:', 'encrypted:')).counts(), /pg_hba\.conf/)
})

test('a server whose certificate is for another name is refused', { skip }, async (t) => {
  const { cert } = certificate('other-host')
  writeFileSync(join(folder, 'cert.pem'), cert)
  await cluster?.primary().query('SELECT pg_reload_conf()')
  await assert.rejects(
    encrypted(t, 'localhost', CA_FILE).counts(),
    /certificate is for another name.*PAGERDUTY_FLEET/,
  )
})
