import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { refuseForeign, type AddressedRequest, type OwnNames } from '../../../src/relay/guards.ts'

const WITHOUT_TOKEN: OwnNames = { names: new Set(['relay.example.com']), isAnyName: false }
const WITH_TOKEN: OwnNames = { ...WITHOUT_TOKEN, isAnyName: true }

/** A request with these headers, as Node hands it over. */
function request(headers: Readonly<Record<string, string>>, url = '/events'): AddressedRequest {
  return { url, headers, rawHeaders: Object.entries(headers).flat() }
}

function statusOf(headers: Readonly<Record<string, string>>, own = WITHOUT_TOKEN, url = '/events'): number {
  return refuseForeign(request(headers, url), own)?.status ?? 200
}

describe('without a token a name that anybody could point at the relay is refused', () => {
  const OWN = [
    '127.0.0.1',
    '127.0.0.1:8080',
    '10.1.2.3:8080',
    '[::1]',
    '[::1]:8080',
    '[FE80::1]:8080',
    '[fe80::1%eth0]:8080',
    '[::ffff:127.0.0.1]:8080',
    'localhost',
    'LocalHost:8080',
    'localhost.:8080',
    'pagerduty:8080',
    'PAGERDUTY',
    'my_relay-1:8080',
    'pagerduty.:8080',
    'relay.example.com',
    'Relay.Example.COM.:443',
    'relay.example.com:',
  ]
  for (const host of OWN) test(`${host} is taken`, () => assert.equal(statusOf({ host }), 200))

  const OTHERS = [
    'evil.example',
    'evil.example:8080',
    'evil.example.',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'relay.example.com.evil.example',
    'sub.relay.example.com',
    'x@localhost',
    'localhost:8080@evil.example',
    '0x7f.1',
    '127.1',
    '256.0.0.1',
    '[evil.example]',
    '[]',
    '::1',
    '.',
    '',
    'a b',
    'localhost, evil.example',
    'localhost/evil.example',
    'pagérduty',
  ]
  for (const host of OTHERS)
    test(`${JSON.stringify(host)} is answered 421`, () => assert.equal(statusOf({ host }), 421))

  test('with a token every name will do, since no web page has the token', () => {
    for (const host of [...OWN, ...OTHERS]) assert.equal(statusOf({ host }, WITH_TOKEN), 200, host)
  })
  test('HTTP/1.0 needs no Host, and no browser leaves it out', () => assert.equal(statusOf({}), 200))
  test('more than one Host header are answered 400, in any case and with a token, too', () => {
    const twice = { ...request({ host: 'a' }), rawHeaders: ['Host', 'a', 'x', 'host', 'hOsT', 'b'] }
    assert.equal(refuseForeign(twice, WITHOUT_TOKEN)?.status, 400)
    assert.equal(refuseForeign(twice, WITH_TOKEN)?.status, 400)
    const once = { ...request({ host: 'a' }), rawHeaders: ['Host', 'a', 'x', 'host', 'y', 'host'] }
    assert.equal(refuseForeign(once, WITHOUT_TOKEN), undefined)
  })
  test('an absolute target counts, and not the Host beside it', () => {
    assert.equal(statusOf({ host: 'localhost' }, WITHOUT_TOKEN, 'http://evil.example/events'), 421)
    assert.equal(statusOf({ host: 'evil.example' }, WITHOUT_TOKEN, 'http://pagerduty:8080/events'), 200)
    assert.equal(statusOf({ host: 'localhost' }, WITHOUT_TOKEN, '*'), 200)
  })
  test('what a proxy is said to have seen changes nothing', () => {
    const forwarded = {
      'x-forwarded-host': 'localhost',
      'x-forwarded-for': '127.0.0.1',
      forwarded: 'host=localhost',
      'x-original-host': 'localhost',
    }
    assert.equal(statusOf({ host: 'evil.example', ...forwarded }), 421)
    assert.equal(statusOf({ host: 'localhost', 'x-forwarded-host': 'evil.example' }), 200)
  })
})

describe('a page of another origin is refused, with a token and without', () => {
  const FOREIGN: [host: string, origin: string][] = [
    ['localhost:8080', 'https://evil.example'],
    ['localhost:8080', 'http://localhost:3000'],
    ['localhost:8080', 'http://localhost'],
    ['localhost:8080', 'http://127.0.0.1:8080'],
    ['localhost:8080', 'null'],
    ['localhost:8080', ''],
    ['localhost:8080', 'file://'],
    ['localhost:8080', 'chrome-extension://localhost:8080'],
    ['localhost:8080', 'http://localhost:8080.evil.example'],
    ['localhost:8080', 'http://localhost:8080, http://evil.example'],
    ['localhost:8080', 'http://localhost:8080 http://evil.example'],
    ['relay.example.com', 'https://relay.example.com:3000'],
    ['a b', 'http://a'],
  ]
  for (const [host, origin] of FOREIGN) {
    test(`${JSON.stringify(origin)} at ${host}`, () => {
      for (const own of [WITHOUT_TOKEN, WITH_TOKEN]) assert.equal(statusOf({ host, origin }, own), 403)
    })
  }
  const OWN: [host: string, origin: string][] = [
    ['localhost:8080', 'http://localhost:8080'],
    ['LOCALHOST:8080', 'http://localhost:8080'],
    ['[::1]:8080', 'http://[::1]:8080'],
    ['[0:0::1]:8080', 'http://[::1]:8080'],
    ['pagerduty', 'http://pagerduty'],
    ['pagerduty:80', 'http://pagerduty'],
    ['pagerduty', 'https://pagerduty'], // a proxy ends TLS
    ['pagerduty:443', 'https://pagerduty'],
    ['127.0.0.1:8080', 'https://relay.example.com'], // a proxy writes its own Host
  ]
  for (const [host, origin] of OWN)
    test(`but not ${origin} at ${host}`, () => assert.equal(statusOf({ host, origin }), 200))

  test('an Origin without a Host is nobody’s own', () => {
    assert.equal(statusOf({ origin: 'http://undefined' }), 403)
  })
  for (const site of ['cross-site', 'same-site', 'Cross-Site', 'cross-site, none'])
    test(`Sec-Fetch-Site: ${site}`, () => {
      assert.equal(statusOf({ host: 'localhost', 'sec-fetch-site': site }), 403)
      assert.equal(statusOf({ host: 'localhost', 'sec-fetch-site': site }, WITH_TOKEN), 403)
    })
  for (const site of ['same-origin', 'none', ''])
    test(`but not Sec-Fetch-Site: ${JSON.stringify(site)}`, () => {
      assert.equal(statusOf({ host: 'localhost', 'sec-fetch-site': site }), 200)
    })
})

test('whatever a request says, it is answered with one of four statuses', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.webUrl(), fc.domain(), fc.ipV6())
  const headers = fc.record(
    { host: text, origin: text, 'sec-fetch-site': text },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Record<string, string>>
  fc.assert(
    fc.property(headers, text, fc.boolean(), (given, url, isAnyName) => {
      const status = statusOf(given, { names: new Set(), isAnyName }, url)
      assert.ok([200, 400, 403, 421].includes(status))
    }),
  )
})
