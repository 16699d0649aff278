import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  parseBaseUrl,
  parseEventsUrl,
  parseChoice,
  parseCount,
  parseDetail,
  parseDetails,
  parseDurationMs,
  parseExitCodes,
  parseHttpUrl,
  parseImage,
  parseImageList,
  parseLink,
  parseLinkList,
  parseSeverity,
  parseTime,
  withDetail,
} from '../../../src/config/parsers.ts'
import { Failure } from '../../../src/core/failure.ts'

const MARKER = 'VALUE-OF-THE-USER'

const ACCEPTED: [string, (text: string) => unknown, string, unknown][] = [
  ['severity', parseSeverity, 'CRITICAL', 'critical'],
  ['choice', parseChoice(['us', 'eu']), 'EU', 'eu'],
  ['duration', parseDurationMs, '500ms', 500],
  ['duration', parseDurationMs, '90', 90_000],
  ['duration', parseDurationMs, '1.5m', 90_000],
  ['duration', parseDurationMs, '2 H', 7_200_000],
  ['exit statuses', (text) => [3, 75, 4].map(parseExitCodes(text)), ' 3, 75', [true, true, false]],
  ['time', parseTime, '0', { iso: '1970-01-01T00:00:00.000Z', hasZone: true }],
  ['URL', parseHttpUrl, 'https://a.example/b?c#d', 'https://a.example/b?c#d'],
  ['base URL', parseBaseUrl, 'https://a.example/prefix/', 'https://a.example/prefix'],
  ['base URL', parseBaseUrl, 'HTTP://A.example', 'http://a.example'],
  ['events URL', parseEventsUrl, 'https://a.example/prefix/', 'https://a.example/prefix'],
  ['events URL', parseEventsUrl, 'https://a.example/v2/enqueue', 'https://a.example'],
  ['events URL', parseEventsUrl, 'https://a.example/p//v2/change/enqueue/', 'https://a.example/p'],
  ['link', parseLink, 'https://a.example', { href: 'https://a.example' }],
  ['link', parseLink, ' https://a.example | Run|book ', { href: 'https://a.example', text: 'Run|book' }],
  ['image', parseImage, 'https://a.example/i.png||Graph', { src: 'https://a.example/i.png', alt: 'Graph' }],
  [
    'image',
    parseImage,
    'https://a.example/i.png|https://a.example',
    { src: 'https://a.example/i.png', href: 'https://a.example' },
  ],
  [
    'links',
    parseLinkList,
    '[{"href":"https://a.example","text":null},"https://b.example"]',
    [{ href: 'https://a.example' }, 'https://b.example'],
  ],
  ['links', parseLinkList, '{"href":"https://a.example"}', [{ href: 'https://a.example' }]],
  [
    'images',
    parseImageList,
    '[{"src":"https://a.example","alt":"A"}]',
    [{ src: 'https://a.example', alt: 'A' }],
  ],
  ['details', parseDetails, '{"a":{"b":[1,false]}}', { a: { b: [1, false] } }],
  ['detail', parseDetail, 'a.b=1', { path: ['a', 'b'], value: 1 }],
  ['detail', parseDetail, 'a=x=y', { path: ['a'], value: 'x=y' }],
  ['detail', parseDetail, 'a=', { path: ['a'], value: '' }],
  ['detail', parseDetail, 'a=false', { path: ['a'], value: false }],
  ['detail', parseDetail, 'version=1.10', { path: ['version'], value: '1.10' }],
  ['detail', parseDetail, 'id=12345678901234567890', { path: ['id'], value: '12345678901234567890' }],
  ['detail', parseDetail, 'a=[1,2]', { path: ['a'], value: [1, 2] }],
]
for (const [what, parse, text, expected] of ACCEPTED) {
  test(`${what} "${text}" is accepted`, () => assert.deepEqual(parse(text), expected))
}

const REFUSED: [string, (text: string) => unknown, string][] = [
  ['severity', parseSeverity, `P1-${MARKER}`],
  ['duration', parseDurationMs, '0'],
  ['duration', parseDurationMs, '-5s'],
  ['duration', parseDurationMs, '5 weeks'],
  ['duration', parseDurationMs, '25h'],
  ['duration', parseDurationMs, 'Infinity'],
  ['exit statuses', parseExitCodes, `3,${MARKER}`],
  ['exit statuses', parseExitCodes, '3;75'],
  ['exit statuses', parseExitCodes, '256'],
  ['time', parseTime, MARKER],
  ['URL', parseHttpUrl, `javascript:${MARKER}`],
  ['URL', parseHttpUrl, 'https://'],
  ['base URL', parseBaseUrl, `https://u:${MARKER}@a.example`],
  ['base URL', parseBaseUrl, `https://a.example/?${MARKER}`],
  ['links', parseLinkList, `https://a.example/${MARKER}`],
  ['links', parseLinkList, `[["${MARKER}"]]`],
  ['images', parseImageList, '5'],
  ['details', parseDetails, `{"a":${MARKER}}`],
  ['details', parseDetails, `"${MARKER}"`],
  ['details', parseDetails, '[1]'],
  ['detail', parseDetail, MARKER],
  ['detail', parseDetail, `=${MARKER}`],
  ['detail', parseDetail, `a..b=${MARKER}`],
]
for (const [what, parse, text] of REFUSED) {
  test(`${what} "${text}" is refused without repeating it`, () => {
    assert.throws(
      () => parse(text),
      (error) => error instanceof Failure && error.kind === 'usage' && !error.message.includes(MARKER),
    )
  })
}

test('details nest, and replace what is in the way', () => {
  let details = withDetail({}, ['a', 'b'], 1)
  details = withDetail(details, ['a', 'c'], 2)
  assert.deepEqual(details, { a: { b: 1, c: 2 } })
  assert.deepEqual(withDetail({ a: 'text' }, ['a', 'b'], 1), { a: { b: 1 } })
})

test('a detail named __proto__ is a detail like any other', () => {
  const details = withDetail({}, ['__proto__', 'polluted'], true)
  assert.equal(JSON.stringify(details), '{"__proto__":{"polluted":true}}')
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('a count that is refused names its own bounds, whatever is wrong with it', () => {
  for (const text of ['0', '101', '1.5', '-1', '1e1', ''])
    assert.throws(() => parseCount(100, 1)(text), /must be a whole number from 1 to 100/, text)
  assert.equal(parseCount(100, 1)('1'), 1)
})
