import assert from 'node:assert/strict'

/** Most bytes that a body, and so any text in it, can have. */
export const MAX_BYTES = 512_000
/** No input of `MAX_BYTES` may hold the event loop for longer. */
const LIMIT_MS = 100
/** How much shorter the text is that is tried first. */
const SHORTER = 8
/** A short text that takes no longer than this takes less than `LIMIT_MS` at full length even if the time grows quadratically. */
const SHORT_LIMIT_MS = LIMIT_MS / SHORTER ** 2
/** On a slow machine a text may take longer than `LIMIT_MS`, but at most by this factor longer than as many short ones. */
const NOISE = 5
/** Far above any machine's noise, and far below what quadratic time costs at this size. */
const GUARD_MS = 5000
/** Above the limit, the fastest of this many attempts counts. */
const TRIES = 3

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
  ...[7, 60, 70, 5000].map((depth) =>
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

/** What is tried with a text. */
export interface LinearTrial {
  readonly name: string
  readonly make: (bytes: number) => string
  readonly work: (text: string) => unknown
  /** Whether the whole length is tried even if the time of a short text leaves no doubt. */
  readonly isWhole: boolean
}

/**
 * Fails when a text of `MAX_BYTES` holds the event loop for longer than it may. A short text is tried first, which is
 * usually enough. A slow machine is not to blame: above the limit, what counts is that the text takes about as long as
 * short ones of the same length together.
 */
export function assertLinear({ name, make, work, isWhole }: LinearTrial): void {
  const short = make(MAX_BYTES / SHORTER)
  const shortMs = fastestMs(() => work(short), { tries: 1 })
  if (shortMs <= SHORT_LIMIT_MS && !isWhole) return
  assert.ok(shortMs <= GUARD_MS / SHORTER, `${name}: an eighth of it takes ${shortMs.toFixed(0)} ms`)
  const long = make(MAX_BYTES)
  const longMs = fastestMs(() => work(long), { tries: TRIES, enoughMs: LIMIT_MS })
  if (longMs <= LIMIT_MS) return
  const shortsMs = fastestMs(
    () => {
      for (let count = 0; count < SHORTER; count++) work(short)
    },
    { tries: TRIES },
  )
  const times = `${name}: ${longMs.toFixed(0)} ms, ${SHORTER} times an eighth of it ${shortsMs.toFixed(0)} ms`
  assert.ok(longMs <= GUARD_MS && longMs <= shortsMs * NOISE, times)
}

/**
 * How long the work took at least, of a few tries; there are no more of them once one is quick enough. What others do on
 * the machine does not count: the time of this thread is taken, unless the clock, which is more precise, shows less.
 */
function fastestMs(
  work: () => unknown,
  { tries, enoughMs = 0 }: { readonly tries: number; readonly enoughMs?: number },
): number {
  let fastest = Infinity
  for (let run = 0; run < tries && fastest > enoughMs && (run === 0 || fastest <= GUARD_MS); run++) {
    const before = process.threadCpuUsage()
    const startMs = performance.now()
    work()
    const elapsedMs = performance.now() - startMs
    const { user, system } = process.threadCpuUsage(before)
    fastest = Math.min(fastest, (user + system) / 1000, elapsedMs)
  }
  return fastest
}
