import assert from 'node:assert/strict'
import { test } from 'node:test'
import { trimValue } from '../../../src/config/setting.ts'
import { gather, type Options } from '../../../src/config/sources.ts'
import { loadConfig, loadPrintConfig, type Config } from '../../../src/config/load.ts'
import { SETTING_LIST } from '../../../src/config/settings.ts'
import { Failure } from '../../../src/core/failure.ts'

const KEY = '0123456789abcdef0123456789abcdef'
const OTHER_KEY = 'f'.repeat(32)
const REST_TOKEN = 'u+abcdefghijklmnopqr'

interface Given {
  env?: Record<string, string>
  options?: Options
  files?: Record<string, string | Error>
}

function load({ env = {}, options = {}, files = {} }: Given, needsKey = true): Config {
  const readFile = (path: string): string => {
    const content = files[path] ?? Object.assign(new Error(path), { code: 'ENOENT' })
    if (content instanceof Error) throw content
    return content
  }
  return loadConfig(gather({ env, options, readFile }), { env, build: { origins: {} } }, needsKey)
}

function refusal(given: Given): { kind: string; lines: string[] } {
  try {
    load(given)
  } catch (error) {
    if (error instanceof Failure) return { kind: error.kind, lines: error.message.split('\n') }
    throw error
  }
  return assert.fail('nothing was refused')
}
const keysOf = ({ delivery }: Config): string[] => delivery.keys.map(({ key }) => key.reveal())

test('defaults are those of the contract', () => {
  const { delivery, event, dryRun, warnings } = load({ env: { PAGERDUTY_TOKEN: KEY } })
  assert.deepEqual(
    { ...delivery, keys: [], secrets: [] },
    {
      region: 'us',
      eventsUrl: 'https://events.pagerduty.com',
      keys: [],
      deadlineMs: 60_000,
      timeoutMs: 10_000,
      proxy: {},
      secrets: [],
    },
  )
  assert.deepEqual(
    [event.as, event.resolve, event.fields.severity, dryRun, warnings],
    ['change', 'auto', undefined, false, []],
  )
})

test('a text of the event that is only a reference counts as unset, with a warning', () => {
  const env = {
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_ENVIRONMENT: '$(environmentName)',
    PAGERDUTY_DEDUP_KEY: '${{ inputs.key }}',
  }
  const { event, warnings } = load({ env, options: { group: ['$GROUP'] } })
  assert.deepEqual(
    [event.choices.environment, event.choices.dedupKey, event.fields.group],
    [undefined, undefined, undefined],
  )
  assert.deepEqual(
    warnings,
    ['--group', 'PAGERDUTY_ENVIRONMENT', 'PAGERDUTY_DEDUP_KEY'].map(
      (name) => `${name}: is a reference to a variable that was never replaced, so it counts as unset`,
    ),
  )
})

test('values are trimmed of spaces, line ends and one pair of quotes', () => {
  for (const text of [` ${KEY}\r\n`, `"${KEY}"`, `'${KEY}' `, `" ${KEY} "`]) {
    assert.deepEqual(keysOf(load({ env: { PAGERDUTY_TOKEN: text } })), [KEY])
  }
  assert.equal(trimValue(`"it's"`), `it's`)
  assert.equal(trimValue(`'a`), `'a`)
  assert.equal(trimValue(undefined), '')
})

test('an option wins over its variable, blank counts as unset', () => {
  const env = {
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_SEVERITY: 'info',
    PAGERDUTY_GROUP: ' ',
    PAGERDUTY_LINKS: '[]',
  }
  assert.equal(load({ env, options: { severity: ['critical'] } }).event.fields.severity, 'critical')
  assert.equal(load({ env, options: { severity: [' '] } }).event.fields.severity, 'info')
  assert.equal(load({ env }).event.fields.group, undefined)
})

test('every event variable of the contract is read', () => {
  const env = {
    PAGERDUTY_TOKEN: KEY,
    PAGERDUTY_ENVIRONMENT: 'production',
    PAGERDUTY_SEVERITY: 'Warning',
    PAGERDUTY_SUMMARY: '{{branch}}',
    PAGERDUTY_SOURCE: 'src',
    PAGERDUTY_COMPONENT: 'comp',
    PAGERDUTY_GROUP: 'grp',
    PAGERDUTY_CLASS: 'cls',
    PAGERDUTY_DETAILS: '{"a":1}',
    PAGERDUTY_LINKS: '[{"href":"https://a.example"}]',
    PAGERDUTY_IMAGES: '[{"src":"https://a.example/i.png"}]',
    PAGERDUTY_CLIENT: 'cli',
    PAGERDUTY_CLIENT_URL: 'https://c.example',
    PAGERDUTY_DEDUP_KEY: 'dk',
    PAGERDUTY_AS: 'both',
    PAGERDUTY_RESOLVE: 'never',
  }
  const { event } = load({ env })
  assert.deepEqual(event, {
    fields: {
      summary: '{{branch}}',
      severity: 'warning',
      component: 'comp',
      group: 'grp',
      class: 'cls',
      details: { a: 1 },
      links: [{ href: 'https://a.example' }],
      images: [{ src: 'https://a.example/i.png' }],
      client: 'cli',
      clientUrl: 'https://c.example',
    },
    choices: {
      environment: { value: 'production', origin: 'PAGERDUTY_ENVIRONMENT' },
      dedupKey: { value: 'dk', origin: 'PAGERDUTY_DEDUP_KEY' },
      source: { value: 'src', origin: 'PAGERDUTY_SOURCE' },
      step: undefined,
    },
    as: 'both',
    resolve: 'never',
  })
})

test('single details go on top of the JSON ones', () => {
  const env = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_DETAILS: '{"a":1,"b":{"c":1}}' }
  const { event } = load({ env, options: { detail: ['b.d=2', 'e=x'] } })
  assert.deepEqual(event.fields.details, { a: 1, b: { c: 1, d: 2 }, e: 'x' })
})

test('a named routing key wins over the token; several are all used, with their aliases', () => {
  assert.deepEqual(keysOf(load({ env: { PAGERDUTY_TOKEN: OTHER_KEY, PAGERDUTY_ROUTING_KEY: KEY } })), [KEY])
  assert.deepEqual(keysOf(load({ env: { PAGERDUTY_TOKEN: REST_TOKEN, PAGERDUTY_ROUTING_KEY: KEY } })), [KEY])
  const { delivery } = load({ env: { PAGERDUTY_ROUTING_KEY: `web=${KEY}, api=${OTHER_KEY}` } })
  assert.deepEqual(
    delivery.keys.map(({ alias }) => alias),
    ['web', 'api'],
  )
})

test('a secret may come from a file, not from both', () => {
  const files = { '/run/key': `${KEY}\n` }
  assert.deepEqual(keysOf(load({ env: { PAGERDUTY_TOKEN_FILE: '/run/key' }, files })), [KEY])
  assert.deepEqual(keysOf(load({ env: { PAGERDUTY_TOKEN_FILE: ' ', PAGERDUTY_TOKEN: KEY }, files })), [KEY])
  const both = refusal({ env: { PAGERDUTY_TOKEN_FILE: '/run/key', PAGERDUTY_TOKEN: KEY }, files })
  assert.deepEqual([both.kind, both.lines.length], ['config', 1])
  assert.match(both.lines[0]!, /PAGERDUTY_TOKEN and PAGERDUTY_TOKEN_FILE are both set/)
})

const FILE_PROBLEMS: [string | Error, RegExp][] = [
  ['', /is empty/],
  [Object.assign(new Error(), { code: 'EACCES' }), /permission denied/],
  [Object.assign(new Error(), { code: 'EISDIR' }), /is a directory/],
  [Object.assign(new Error(), { code: 'EIO' }), /EIO/],
]
for (const [content, message] of FILE_PROBLEMS) {
  test(`an unusable secret file is named by its variable: ${message.source}`, () => {
    const { kind, lines } = refusal({
      env: { PAGERDUTY_ROUTING_KEY_FILE: '/secret/path' },
      files: { '/secret/path': content },
    })
    assert.equal(kind, 'config')
    assert.match(lines.join(), message)
    assert.match(lines.join(), /^PAGERDUTY_ROUTING_KEY_FILE: /)
    assert.ok(!lines.join().includes('/secret/path'))
  })
}

test('a key in a wrong place or shape is explained, never shown', () => {
  for (const [env, message] of [
    [{ PAGERDUTY_TOKEN: REST_TOKEN }, /^PAGERDUTY_TOKEN: this is a REST API token/],
    [
      { PAGERDUTY_API_TOKEN: REST_TOKEN },
      /^PAGERDUTY_API_TOKEN: this is a REST API token.*PAGERDUTY_SERVICE_ID/,
    ],
    [{ PAGERDUTY_API_TOKEN: KEY }, /^PAGERDUTY_API_TOKEN: this is an integration \(routing\) key/],
    [{ PAGERDUTY_ROUTING_KEY: REST_TOKEN }, /^PAGERDUTY_ROUTING_KEY: looks like a REST API token/],
    [{ PAGERDUTY_ROUTING_KEY: 'short-and-secret' }, /^PAGERDUTY_ROUTING_KEY: looks like a REST/],
    [{}, /^no key is set/],
  ] as const) {
    const { kind, lines } = refusal({ env })
    assert.deepEqual([kind, lines.length], ['config', 1])
    assert.match(lines[0]!, message)
    for (const value of Object.values(env)) assert.ok(!lines.join().includes(value))
  }
})

test('every problem is reported at once, by name, and a key problem decides the kind', () => {
  const env = {
    PAGERDUTY_SEVERITY: 'P1',
    PAGERDUTY_DETAILS: '{',
    PAGERDUTY_REGION: 'mars',
    PAGERDUTY_DEADLINE: 'soon',
    PAGERDUTY_EVENTS_URL: 'ftp://x',
    LOG_LEVEL: 'loud',
    HTTPS_PROXY: 'socks5://p',
  }
  const { kind, lines } = refusal({
    env: { ...env, PAGERDUTY_TOKEN: KEY },
    options: { summary: ['{{nope}}'] },
  })
  assert.equal(kind, 'config') // the proxy
  for (const name of ['--summary', ...Object.keys(env)]) {
    assert.equal(lines.filter((line) => line.startsWith(`${name}: `)).length, 1, name)
  }
  assert.equal(refusal({ env: { PAGERDUTY_TOKEN: KEY, PAGERDUTY_SEVERITY: 'P1' } }).kind, 'usage')
})

test('a relay needs no key, and a dry run only warns that there is none', () => {
  const { delivery } = load({
    env: { PAGERDUTY_RELAY_URL: 'http://pagerduty:8080/', PAGERDUTY_RELAY_TOKEN: 'tok-en' },
  })
  assert.deepEqual(
    [delivery.eventsUrl, delivery.keys, delivery.relay?.token?.reveal()],
    ['http://pagerduty:8080', [], 'tok-en'],
  )
  assert.match(
    load({ options: { 'dry-run': true } }).warnings.join(),
    /no key is set.*a real run would stop here/,
  )
  assert.deepEqual(load({}, false).warnings, [])
})

test('the region chooses the address, an override keeps its path', () => {
  const env = { PAGERDUTY_TOKEN: KEY }
  assert.equal(
    load({ env: { ...env, PAGERDUTY_REGION: 'EU' } }).delivery.eventsUrl,
    'https://events.eu.pagerduty.com',
  )
  assert.equal(
    load({ env: { ...env, PAGERDUTY_EVENTS_URL: 'https://gate.example/pd/' } }).delivery.eventsUrl,
    'https://gate.example/pd',
  )
})

const PLAIN_HTTP: [string, boolean][] = [
  ['http://gate.example', true],
  ['http://127.0.0.1:8080', false],
  ['http://127.9.9.9', false],
  ['http://localhost:1', false],
  ['http://[::1]:1', false],
  ['http://127.0.0.1.evil.example', true],
  ['https://gate.example', false],
]
for (const [url, isWarned] of PLAIN_HTTP) {
  test(`${url} causes ${isWarned ? 'a' : 'no'} warning`, () => {
    const { warnings } = load({ env: { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: url } })
    assert.equal(
      warnings.some((warning) => /plain http/.test(warning)),
      isWarned,
    )
  })
}

test('proxies are read in either case, lower case first, and a bare host is an http proxy', () => {
  const { delivery } = load({
    env: {
      PAGERDUTY_TOKEN: KEY,
      https_proxy: 'lower:3128',
      HTTPS_PROXY: 'http://upper:3128',
      HTTP_PROXY: 'http://u:p%40ss@plain',
      no_proxy: 'a.example',
    },
  })
  assert.deepEqual(delivery.proxy, {
    httpsProxy: 'http://lower:3128',
    httpProxy: 'http://u:p%40ss@plain',
    noProxy: 'a.example',
  })
  assert.deepEqual(
    delivery.secrets.map((secret) => secret.reveal()),
    [KEY, 'p%40ss', 'p@ss', 'dTpwQHNz'],
  )
})

for (const [value, expected] of [
  ['"http://u:p@proxy:3128"', 'http://u:p@proxy:3128'], // as Docker's env files leave it
  ["'proxy:3128' ", 'http://proxy:3128'],
  ['http://proxy:3128/pac?x=1#y', 'http://proxy:3128'],
  ['HTTP:\\\\proxy', 'http://http'],
  ['""', undefined],
] as const) {
  test(`the proxy ${value} is ${expected}`, () => {
    const env = { PAGERDUTY_TOKEN: KEY, HTTPS_PROXY: value, NO_PROXY: '"a.example"' }
    assert.deepEqual(load({ env }).delivery.proxy, {
      ...(expected !== undefined && { httpsProxy: expected }),
      noProxy: 'a.example',
    })
  })
}

test('quiet and verbose win over LOG_LEVEL, and a wrong level does not keep errors from being printed', () => {
  const level = (env: Record<string, string>, options: Options = {}): string =>
    loadPrintConfig(gather({ env, options, readFile: () => '' })).logLevel
  assert.equal(level({}), 'info')
  assert.equal(level({ LOG_LEVEL: 'WARN' }), 'warn')
  assert.equal(level({ LOG_LEVEL: 'loud' }), 'info')
  assert.equal(level({ LOG_LEVEL: 'trace' }, { quiet: true }), 'error')
  assert.equal(level({}, { quiet: true, verbose: true }), 'debug')
})

test('names of options and variables are unique', () => {
  for (const field of ['option', 'variable'] as const) {
    const names = SETTING_LIST.map((setting) => setting[field]).filter(Boolean)
    assert.equal(new Set(names).size, names.length)
  }
})
