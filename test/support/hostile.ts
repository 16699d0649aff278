import assert from 'node:assert/strict'

/** Most bytes that a body, and so any text in it, can have. */
export const MAX_BYTES = 512_000
/** No input of `MAX_BYTES` may hold the event loop for longer. */
const LIMIT_MS = 100
/** Where a slow or busy machine takes longer than that, the time must still grow like the text, give or take noise. */
const GROWTH = 8
const NOISE = 5
/** Far above any machine's noise, and far below what quadratic time costs at this size. */
const GUARD_MS = 5000

/** Texts that have cost some parser quadratic time or worse, by what they are made of. */
const SHAPES: readonly (readonly string[])[] = [
  [
    ' ',
    '\n',
    '\t',
    '\r',
    '\0',
    'a',
    '1',
    '=',
    '&',
    '"',
    "'",
    '/',
    '\\',
    '@',
    ':',
    '.',
    '-',
    '_',
    '#',
    '$',
    '{',
    '}',
  ],
  ['<', '[', '(', '+', ';', ',', '%', '…', 'ü', '\u{1f600}', '\ud800', '\u00a0', '\u202e'],
  [
    'a ',
    'a\n',
    '\n ',
    '1,',
    '1e1,',
    'a=',
    'a=&',
    'a=b;',
    '&=',
    'a.b',
    'a/',
    '/a',
    '../',
    '//',
    '\\"',
    '\\u0041',
    '%20',
    '%%',
  ],
  [
    '{{',
    '{{ ',
    '{{message}}',
    '{{a',
    '}}{{',
    '${',
    '$${',
    '${A}',
    '${a',
    '/*',
    '*/',
    '/*/',
    '//x',
    '"/*',
    '<!--',
    '<script',
    '<a ',
  ],
  [
    '-----BEGIN ',
    '-----BEGIN RSA PRIVATE KEY-----',
    '-----END PRIVATE KEY-----',
    '-----BEGIN PRIVATE KEY-----\n',
    '-----',
  ],
  [
    'a://',
    'a://b:',
    'http://a:b',
    'http://a:b@',
    'http://a@/',
    '://',
    ':@',
    'a@',
    '@a',
    'http://http://',
    'xn--',
    'é.',
  ],
  [
    'password=',
    'password=a ',
    'password ',
    'password="',
    'password: "a',
    'password',
    'secret_',
    'token=\\"',
    'key=key=',
    'pwd:',
  ],
  [
    'authorization: ',
    'Authorization: Basic ',
    'bearer ',
    'bearer a',
    'basic:',
    'cookie: a=b; ',
    'set-cookie: ',
  ],
  ['-u a:', '--user ', '--token ', '-p ', 'mysql -p', 'curl -u ', '--a-', '-H "x: '],
  [
    'eyJa',
    'eyJaaaaaaaa.',
    'eyJaaaaaaaa.eyJaaaaaaaa',
    'AKIA',
    'ghp_',
    'glpat-',
    'xoxb-',
    'sk-',
    'AIza',
    'hvs.',
    'npm_',
    'SG.',
  ],
  [
    'https://hooks.slack.com/services/',
    'AccountKey=',
    'PRIVATE KEY',
    'A:',
    'a:1:',
    '$2a$10$',
    'sha256~',
    '0x',
    '\\x41',
    '41 ',
  ],
  ['\u001b[', '\u001b]', '\u001b]0;', '\u001bP', '\u001b', '\u001b[1', '\u009b', '\u001b[0m'],
  [
    'Merged in ',
    ' (pull request #1',
    'See merge request ',
    ' (#1)',
    '-1-g',
    'refs/heads/',
    '/-',
    '/browse',
    '/-/',
    'a.b/',
  ],
]

/** Beginnings of what has an end in well-formed text. */
const HEADS: readonly string[] = [
  '"',
  '{{',
  '${',
  '/*',
  '<script>',
  'password="',
  'Authorization: ',
  'http://a:',
  'http://',
  'a@',
  'eyJ',
  '-----BEGIN PRIVATE KEY-----',
  '\u001b]',
  'token: ',
  'Merged in ',
  'git@a.b:',
  'wait',
  '[',
  '{"a":',
  'refs/tags/',
]

/** A text of any length, and what it is made of. */
export interface HostileText {
  readonly name: string
  readonly make: (bytes: number) => string
}

/** Every hostile text: one piece again and again, alone or after the beginning of something that never ends. */
export const HOSTILE_TEXTS: readonly HostileText[] = [
  ...SHAPES.flat().map((body) => hostileText('', body)),
  ...HEADS.flatMap((head) => [' ', 'a', '1', '/', head].map((body) => hostileText(head, body))),
]

function hostileText(head: string, body: string): HostileText {
  const room = Buffer.byteLength(head)
  return {
    name: JSON.stringify(`${head}${body}${body}`),
    make: (bytes) => head + body.repeat(Math.max(0, Math.floor((bytes - room) / Buffer.byteLength(body)))),
  }
}

/** JSON bodies of any length whose shape is the trouble: many members or items, deep nesting, numbers, odd addresses. */
export const HOSTILE_BODIES: readonly HostileText[] = [
  ...[
    '{"href":"http://a.b"},',
    '"http://a.b",',
    '{},',
    '1,',
    '[],',
    '{"href":1,"text":[]},',
    '"http://üäö.de",',
  ].map((item) => hostileBody(`many links ${item}`, (list) => event(`,"links":[${list(item)}]`))),
  ...['{"src":"https://a.b"},', '{"src":1,"href":1,"alt":[]},'].map((item) =>
    hostileBody(`many images ${item}`, (list) => event(`,"images":[${list(item)}]`)),
  ),
  ...['http://ü', 'http://xn--', 'http://@', 'http://a:', 'http://a/../'].map((part) =>
    hostileBody(`a long link of ${part}`, (_, repeat) =>
      event(`,"links":["http://a${repeat(part.slice(7))}"]`),
    ),
  ),
  ...['1,', 'null,', '{},', '[],', '1e400,', '12345678901234567890,', '"\\ud800",'].map((item) =>
    hostileBody(`details of ${item}`, (list) => event('', `,"custom_details":{"a":[${list(item)}]}`)),
  ),
  ...[60, 70, 5000].map((depth) =>
    hostileBody(`details ${depth} deep`, (list) =>
      event('', `,"custom_details":{"a":[${list(`${'['.repeat(depth)}${']'.repeat(depth)},`)}]}`),
    ),
  ),
  hostileBody('many details', (_, __, members) => event('', `,"custom_details":{${members('1')}}`)),
  hostileBody('many members', (_, __, members) => event(`,${members('1')}`)),
  hostileBody('many members of the payload', (_, __, members) => event('', `,${members('"x"')}`)),
  hostileBody('nothing but members', (_, __, members) => `{${members('1')}}`),
  hostileBody('nothing but null', (_, __, members) => `{${members('null')}}`),
  hostileBody('one name again and again', (list) => `{${list('"a":1,')}}`),
  hostileBody('an object as a source', (_, __, members) =>
    event('').replace('"x"', () => `{${members('1')}}`),
  ),
  ...['{{message}}', '{{ ', '{{', '\\u0000', '\\n', '😀'].map((part) =>
    hostileBody(`a summary of ${part}`, (_, repeat) => `{"summary":"${repeat(part)}"}`),
  ),
  ...['password=a ', '-----BEGIN ', 'http://a:b@', 'x\\n'].map((part) =>
    hostileBody(`output of ${part}`, (_, repeat) => `{"output":"${repeat(part)}"}`),
  ),
  hostileBody('details as text', (_, repeat) => `{"details":"${repeat('[')}"}`),
  hostileBody('links as text', (_, repeat) => `{"links":"${repeat('|')}"}`),
]

type Fill = (piece: string) => string

function hostileBody(name: string, write: (list: Fill, repeat: Fill, members: Fill) => string): HostileText {
  const make = (bytes: number): string => {
    const room = bytes - 200
    const repeat: Fill = (piece) => piece.repeat(Math.floor(room / Buffer.byteLength(piece)))
    const list: Fill = (item) => repeat(item).replace(/,$/, '')
    const members: Fill = (value) => {
      const count = Math.floor(room / (`"k12345":${value},`.length + 1))
      return Array.from({ length: count }, (_, index) => `"k${index}":${value}`).join(',')
    }
    return write(list, repeat, members)
  }
  return { name, make }
}

function event(members: string, payload = ''): string {
  return `{"event_action":"trigger","payload":{"summary":"s","source":"x","severity":"info"${payload}}${members}}`
}

/**
 * Fails when a text of `MAX_BYTES` holds the event loop for longer than it may. A slow machine is not to blame: above the
 * limit, what counts is that an eighth of the text takes about an eighth of the time.
 */
export function assertLinear(
  name: string,
  make: (bytes: number) => string,
  work: (text: string) => unknown,
): void {
  const longMs = fastestMs(make(MAX_BYTES), work)
  if (longMs <= LIMIT_MS) return
  const shortMs = fastestMs(make(MAX_BYTES / GROWTH), work)
  const times = `${name}: ${longMs.toFixed(0)} ms, an eighth of it ${shortMs.toFixed(1)} ms`
  assert.ok(longMs <= GUARD_MS && longMs <= shortMs * GROWTH * NOISE, times)
}

/** Time of this thread alone: what others do on the machine does not count. */
function fastestMs(text: string, work: (text: string) => unknown): number {
  let fastest = Infinity
  for (let run = 0; run < 3 && fastest > LIMIT_MS; run++) {
    const before = process.threadCpuUsage()
    work(text)
    const { user, system } = process.threadCpuUsage(before)
    fastest = Math.min(fastest, (user + system) / 1000)
    if (fastest > GUARD_MS) break
  }
  return fastest
}
