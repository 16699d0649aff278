import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFleetUrl } from '../../../src/config/fleet-url.ts'
import { Failure } from '../../../src/core/failure.ts'

test('an address with several hosts, ports, a password and a CA is read', () => {
  const server = parseFleetUrl(
    'postgresql://re%40lay:p%3A%2Fw@db-1.example.com,db-2.example.com:6432,[2001:db8::1]:5433/pager%20duty?sslrootcert=/ca.pem',
  )
  const { password, ...rest } = server
  assert.equal(password?.reveal(), 'p:/w')
  assert.deepEqual(rest, {
    user: 're@lay',
    database: 'pager duty',
    hosts: [
      { host: 'db-1.example.com', port: 5432 },
      { host: 'db-2.example.com', port: 6432 },
      { host: '2001:db8::1', port: 5433 },
    ],
    tls: { caFile: '/ca.pem' },
  })
})

for (const { address, expected } of [
  { address: 'postgres://relay@db.example.com', expected: { database: 'relay', tls: {} } },
  { address: 'postgres://relay@db.example.com/x?sslmode=verify-full', expected: { database: 'x', tls: {} } },
  { address: 'postgres://relay@db.example.com/x?sslrootcert=system', expected: { database: 'x', tls: {} } },
  { address: 'postgres://relay@127.0.0.1,localhost,[::1]/x', expected: { database: 'x' } },
  { address: 'postgres://relay@localhost/x?sslmode=verify-full', expected: { database: 'x', tls: {} } },
  { address: 'postgres://relay@/x?host=/var/run/postgresql', expected: { database: 'x' } },
  {
    address: 'postgres://relay@db.example.com/x?sslcert=/c.pem&sslkey=/k.pem',
    expected: { database: 'x', tls: { certificateFile: '/c.pem', keyFile: '/k.pem' } },
  },
]) {
  test(`${address}: ${expected.tls === undefined ? 'not encrypted' : 'verified'}`, () => {
    const { database, tls } = parseFleetUrl(address)
    assert.deepEqual({ database, ...(tls !== undefined && { tls }) }, expected)
  })
}

test('the password may hold what separates the parts of an address', () => {
  assert.equal(parseFleetUrl('postgres://relay:a@b:c@127.0.0.1/x').password?.reveal(), 'a@b:c')
})

for (const { address, problem } of [
  { address: 'mysql://relay:hunter2hunter2@db/x', problem: /must be like postgres:\/\/relay@db-1/ },
  { address: 'db.example.com', problem: /must be like/ },
  { address: 'postgres://db.example.com/x', problem: /needs a user/ },
  { address: 'postgres://relay:hunter2hunter2@/x', problem: /needs one host or several/ },
  { address: 'postgres://relay:hunter2hunter2@a,,b/x', problem: /has an invalid host/ },
  { address: 'postgres://relay:hunter2hunter2@a:99999/x', problem: /has a port that is not between/ },
  { address: 'postgres://relay:hunter2hunter2@a:0/x', problem: /has a port that is not between/ },
  { address: 'postgres://relay:hunter2%2@a/x', problem: /has a % that is not followed/ },
  {
    address: `postgres://relay@${Array.from({ length: 17 }, () => 'a').join(',')}/x`,
    problem: /has more than 16 hosts/,
  },
  { address: 'postgres://relay@a/x?sslmode=require', problem: /sslmode must be verify-full/ },
  { address: 'postgres://relay@a/x?sslmode=disable', problem: /only for addresses of this machine/ },
  {
    address: 'postgres://relay@127.0.0.1,a/x?sslmode=disable',
    problem: /only for addresses of this machine/,
  },
  {
    address: 'postgres://relay@127.example.com/x?sslmode=disable',
    problem: /only for addresses of this machine/,
  },
  { address: 'postgres://relay@a/x?sslcert=/c.pem', problem: /sslcert and sslkey must be set together/ },
  { address: 'postgres://relay@a/x?options=-c%20fsync=off', problem: /its only parameters are sslmode/ },
]) {
  test(`${address} is refused, and not repeated`, () => {
    assert.throws(
      () => parseFleetUrl(address),
      (error) => {
        assert.ok(error instanceof Failure && error.kind === 'config')
        assert.match(error.message, problem)
        assert.doesNotMatch(error.message, /hunter2/)
        return true
      },
    )
  })
}
