import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseProxy } from '../../../src/delivery/proxy.ts'

const HTTP = 'http://web.example:3128'
const HTTPS = 'http://tls.example:3128'
const US = 'https://events.pagerduty.com'

test('each variable is for its own scheme only', () => {
  const both = { httpProxy: HTTP, httpsProxy: HTTPS }
  assert.deepEqual(chooseProxy(US, both), { url: HTTPS, variable: 'HTTPS_PROXY' })
  assert.deepEqual(chooseProxy('http://relay:8080', both), { url: HTTP, variable: 'HTTP_PROXY' })
  assert.equal(chooseProxy(US, { httpProxy: HTTP }), undefined)
  assert.equal(chooseProxy('http://relay:8080', { httpsProxy: HTTPS }), undefined)
  assert.equal(chooseProxy(US, {}), undefined)
})

const EXCEPTED: [noProxy: string, baseUrl: string][] = [
  ['*', US],
  ['events.pagerduty.com', US],
  ['EVENTS.PagerDuty.com', US],
  ['events.pagerduty.com.', US],
  ['pagerduty.com', US],
  ['.pagerduty.com', US],
  ['*.pagerduty.com', US],
  ['localhost, other.example  pagerduty.com', US],
  ['pagerduty.com:443', US],
  ['relay:8080', 'http://relay:8080/prefix'],
  ['relay', 'http://relay:8080'],
  ['10.0.0.0/8', 'http://10.20.30.40'],
  ['', 'http://127.0.0.1:8080'],
  ['', 'https://127.1.2.3'],
  ['', 'http://localhost:8080'],
  ['', 'http://relay.localhost'],
  ['', 'http://[::1]:8080'],
  ['', 'http://[::ffff:127.0.0.1]:8080'],
  ['fd00::1', 'http://[fd00::1]:8080'],
  ['[fd00::1]', 'http://[fd00::1]:8080'],
  ['[fd00::1]:8080', 'http://[fd00::1]:8080'],
  ['fd00::/8', 'http://[fd12::1]:8080'],
]
for (const [noProxy, baseUrl] of EXCEPTED) {
  test(`NO_PROXY="${noProxy}" excludes ${baseUrl}`, () =>
    assert.equal(chooseProxy(baseUrl, { httpProxy: HTTP, httpsProxy: HTTPS, noProxy }), undefined))
}

const NOT_EXCEPTED: [noProxy: string, baseUrl: string][] = [
  ['', US],
  [' , ', US],
  ['duty.com', US],
  ['eu.pagerduty.com', US],
  ['events.pagerduty.com.example', US],
  ['pagerduty.com:80', US],
  ['relay:80', 'http://relay:8080'],
  ['0.0.1', 'http://10.0.0.1:8080'],
  ['', 'http://localhost.example'],
  ['', 'http://127.example'],
  ['10.0.0.0/8', 'http://11.0.0.1'],
  ['10.0.0.0/99', 'http://10.0.0.1'],
  ['10.0.0.0/', 'http://10.0.0.1'],
  ['relay/8', 'http://relay'],
  ['fd00::/8', 'http://10.0.0.1'],
  ['[fd00::1]:80', 'http://[fd00::1]:8080'],
]
for (const [noProxy, baseUrl] of NOT_EXCEPTED) {
  test(`NO_PROXY="${noProxy}" does not exclude ${baseUrl}`, () =>
    assert.notEqual(chooseProxy(baseUrl, { httpProxy: HTTP, httpsProxy: HTTPS, noProxy }), undefined))
}
