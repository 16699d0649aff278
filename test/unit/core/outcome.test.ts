import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  classifyAnswer,
  classifyTunnelAnswer,
  describeAnswer,
  meaningOf,
  serverWords,
} from '../../../src/core/outcome.ts'
import { createSecret } from '../../../src/core/secret.ts'

const NOW_MS = Date.parse('2026-01-31T12:00:00Z')
const KEY = '0123456789abcdef0123456789abcdef'
const answer = (status: number, body = '', headers = {}): Parameters<typeof classifyAnswer>[0] => ({
  status,
  headers,
  body,
})

test('every status from 100 to 599 has its meaning', () => {
  for (let status = 100; status <= 599; status++) {
    const expected =
      status >= 200 && status <= 299
        ? 'accepted'
        : status === 407
          ? 'unreachable'
          : status === 408 || status === 429 || status >= 500
            ? 'retry'
            : 'refused'
    assert.equal(classifyAnswer(answer(status), NOW_MS).kind, expected, `status ${status}`)
  }
})

test('only redirects, a login at our proxy and statuses above 599 are about our connection', () => {
  for (let status = 100; status <= 999; status++) {
    const isOurs = (status >= 300 && status <= 399) || status === 407 || status >= 600
    assert.equal(meaningOf(status).isOurs === true, isOurs, `status ${status}`)
  }
})

test('a 2xx is accepted whatever its body says', () => {
  for (const body of ['', '{"status":"suc', '<html>', '{"status":"invalid event"}', '\0\0']) {
    assert.equal(classifyAnswer(answer(202, body), NOW_MS).kind, 'accepted')
  }
})

const BODIES: [string, string, string][] = [
  [
    'alert validation',
    '{"status":"invalid event","message":"Event object is invalid","errors":["\'payload.source\' is missing or blank","b"]}',
    "Event object is invalid: 'payload.source' is missing or blank; b",
  ],
  [
    'change validation',
    '{"error":["links should have at most 50 item(s)"]}',
    'links should have at most 50 item(s)',
  ],
  ['unknown key', 'Invalid routing key', 'Invalid routing key'],
  ['REST error', '{"error":{"message":"Rate Limit Exceeded","code":2020}}', 'Rate Limit Exceeded'],
  ['errors as one text', '{"error":{"message":"Bad","errors":"one text"}}', 'Bad: one text'],
  ['error as text', '{"error":"text"}', 'text'],
  [
    'problem+json',
    '{"type":"about:blank","title":"Bad Gateway","detail":"no route"}',
    'Bad Gateway: no route',
  ],
  [
    'HTML',
    '<html><head><style>p{}</style></head><body><h1>502</h1>\n Bad   Gateway</body></html>',
    '502 Bad Gateway',
  ],
  ['cut off JSON', '{"message":"Event obj', '{"message":"Event obj'],
  ['JSON without words', '{"code":7}', '{"code":7}'],
  ['terminal escapes', 'a\u001b[2Jb\u202e', 'a [2Jb'],
  ['nothing', '', ''],
]
for (const [name, body, words] of BODIES) {
  test(`the words of a body with ${name} are found`, () => assert.equal(serverWords(body), words))
}

test('a message shows the status, and a long body only in part', () => {
  assert.equal(describeAnswer(answer(400, 'Invalid routing key')), '400: Invalid routing key')
  assert.equal(describeAnswer(answer(503)), '503: Service Unavailable')
  assert.equal(describeAnswer(answer(418)), '418: no reason given')
  assert.ok(describeAnswer(answer(500, 'x'.repeat(1_000_000))).length < 600)
})

test('a redirect is named with its host only, since the rest may repeat what was sent', () => {
  const headers = { location: 'https://elsewhere.example/path?key=0123' }
  assert.equal(
    describeAnswer(answer(302, '', headers)),
    '302: a redirect, which is never followed (to https://elsewhere.example)',
  )
})

test('a redirect to an address with a secret, or to none of the web, is not shown', () => {
  for (const location of [`https://${KEY}.example/`, 'javascript:alert(1)', '/elsewhere', 'https://[', '']) {
    const words = describeAnswer(answer(302, '', { location }), [createSecret(KEY)])
    assert.equal(words, '302: a redirect, which is never followed (to another path)')
  }
})

test('a 429 without Retry-After waits as PagerDuty advises, a 503 as the backoff says', () => {
  const throttled = classifyAnswer(answer(429), NOW_MS)
  const unavailable = classifyAnswer(answer(503), NOW_MS)
  assert.equal(throttled.kind === 'retry' && throttled.afterMs, 30_000)
  assert.equal(unavailable.kind === 'retry' && unavailable.afterMs, undefined)
})

test('no header makes an answer ask for more than five minutes', () => {
  for (const headers of [
    { 'retry-after': '9'.repeat(400) },
    { 'retry-after': '99999999' },
    { 'ratelimit-reset': '1801440000000000' },
  ]) {
    const outcome = classifyAnswer(answer(429, '', headers), NOW_MS)
    assert.equal(outcome.kind === 'retry' && outcome.afterMs, 300_000, JSON.stringify(headers))
  }
})

test('a secret that an answer echoes is masked, even if the excerpt ends in the middle of it', () => {
  const secret = createSecret('0123456789abcdef0123456789abcdef')
  for (let before = 440; before <= 520; before++) {
    const outcome = classifyAnswer(answer(400, `${'x'.repeat(before)}${secret.reveal()} y`), NOW_MS, [secret])
    assert.ok('reason' in outcome && !outcome.reason.includes('0123'), JSON.stringify(outcome))
  }
})

test('a secret spelt with escapes in JSON is masked', () => {
  const secret = createSecret('u+abcdefghij_1234567')
  const body = JSON.stringify({ message: `key ${secret.reveal()}` }).replace('+', String.raw`\u002b`)
  assert.equal(describeAnswer(answer(400, body), [secret]), '400: key …4567')
})

test('a page of hostile HTML is read in reasonable time', () => {
  const startedAtMs = performance.now()
  for (const part of ['<script', '<', '<style>', '</script', '{"a":[']) serverWords(part.repeat(64 * 1024))
  assert.ok(performance.now() - startedAtMs < 5000)
})

test('what a proxy answers to CONNECT has the meaning of its status, and is not a refusal by PagerDuty', () => {
  const kinds = [403, 404, 407, 408, 429, 500, 502, 503].map((status) => classifyTunnelAnswer(status).kind)
  assert.deepEqual(kinds, ['unreachable', 'unreachable', 'unreachable', ...Array<string>(5).fill('retry')])
  assert.match(classifyTunnelAnswer(403).reason, /\(403\).*NO_PROXY/)
})
