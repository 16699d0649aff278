import type { Socket } from 'node:net'
import type { Behaviour } from '../../tools/simulator/behaviour.ts'

/** One way in which an attempt fails (or only seems to), and the expected result. */
export interface Fault {
  readonly name: string
  /** What the server does with the request, or what happens on the connection before any server sees it. */
  readonly happens: Behaviour | ((connection: Socket) => void)
  /**
   * - `accepted`: the event was taken, and is not sent again
   * - `retried`: the next attempt brings it
   * - `refused`: told at once
   * - `given up`: told at once, since the wait that the server asks for would cross the deadline
   */
  readonly means: 'accepted' | 'retried' | 'refused' | 'given up'
  /** What stderr has to say about it; nothing if the event was accepted. */
  readonly says?: RegExp
  /** Whether the attempt ends by its own timeout only. */
  readonly isSlow?: boolean
}

const answer = (status: number, body = '', headers: Record<string, string> = {}): Behaviour => ({
  kind: 'answer',
  status,
  headers: { 'content-type': body.startsWith('{') ? 'application/json' : 'text/plain', ...headers },
  body,
})

const INVALID =
  '{"status":"invalid event","message":"Event object is invalid","errors":["\'payload.source\' is missing or blank"]}'
const UNREADABLE =
  '{"status":"Unrecognized object","message":"Event object format is unrecognized","errors":["JSON parse error"]}'
const REST_ERROR = '{"error":{"message":"Rate Limit Exceeded","code":2020,"errors":"slow down"}}'
const PAGE = '<html><head><title>x</title></head><body><h1>502</h1>\n<p>Bad   Gateway</p></body></html>'
const TO_ELSEWHERE = { location: 'https://elsewhere.example/v2/enqueue?key=1' }
const LARGE_BYTES = 2 * 1024 * 1024

/** Answers that mean the event was taken, however they end. */
const TAKEN: readonly Fault[] = [
  { name: 'a 200 instead of a 202', happens: answer(200, 'ok'), means: 'accepted' },
  { name: 'a 204 without a body', happens: answer(204), means: 'accepted' },
  { name: 'a 202 whose body is no JSON', happens: answer(202, '{"status":"suc'), means: 'accepted' },
  { name: 'a 202 of 2 MiB', happens: { kind: 'flood', status: 202, bytes: LARGE_BYTES }, means: 'accepted' },
  { name: 'a 202 and a closed connection', happens: { kind: 'close' }, means: 'accepted' },
  { name: 'a 202 cut off in its body', happens: { kind: 'truncate' }, means: 'accepted' },
  { name: 'a 202 whose body never comes', happens: { kind: 'hang', after: 'headers' }, means: 'accepted' },
]

/** Answers that are final. */
const REFUSALS: readonly Fault[] = [
  {
    name: 'a 400 that lists errors',
    happens: answer(400, INVALID),
    says: /400: Event object is invalid: 'payload.source' is missing or blank/,
  },
  {
    name: 'a 400 for unreadable JSON',
    happens: answer(400, UNREADABLE),
    says: /400: Event object format is unrecognized: JSON parse error/,
  },
  {
    name: 'a 400 of a change event',
    happens: answer(400, '{"error":["links should have at most 50 item(s)"]}'),
    says: /400: links should have at most 50/,
  },
  {
    name: 'a 400 in plain text',
    happens: answer(400, 'Invalid routing key'),
    says: /400: Invalid routing key[\s\S]*PAGERDUTY_REGION=eu/,
  },
  { name: 'a 400 that echoes the request', happens: { kind: 'echo', status: 400 }, says: /400: .*…cdef/ },
  {
    name: 'a 400 of 2 MiB',
    happens: { kind: 'flood', status: 400, bytes: LARGE_BYTES },
    says: /400: x{400}/,
  },
  { name: 'a 400 without a body', happens: answer(400), says: /400: no reason given/ },
  { name: 'a 401', happens: answer(401, '{"error":{"message":"Unauthorized"}}'), says: /401: Unauthorized/ },
  { name: 'a 402', happens: answer(402), says: /402: / },
  { name: 'a 403', happens: answer(403, '<h1>Forbidden</h1>'), says: /403: Forbidden/ },
  { name: 'a 404', happens: answer(404, 'Not Found'), says: /404: Not Found[\s\S]*PAGERDUTY_EVENTS_URL/ },
  { name: 'a 405', happens: answer(405), says: /405: / },
  { name: 'a 413', happens: answer(413, 'Request Entity Too Large'), says: /413: Request Entity Too Large/ },
  {
    name: 'a 301',
    happens: answer(301, '', TO_ELSEWHERE),
    says: /301: a redirect, which is never followed \(to https:\/\/elsewhere\.example\)/,
  },
  { name: 'a 302', happens: answer(302, '', TO_ELSEWHERE), says: /302: a redirect/ },
  { name: 'a 307', happens: answer(307, '', TO_ELSEWHERE), says: /307: a redirect/ },
  {
    name: 'a 308',
    happens: answer(308, '', { location: '/v2/enqueue' }),
    says: /308: a redirect, which is never followed \(to another path\)/,
  },
].map((fault) => ({ ...fault, means: 'refused' as const }) as Fault)

/** Answers that may be better next time. */
const TROUBLE: readonly Fault[] = [
  { name: 'a 408', happens: answer(408), says: /408: Request Timeout/ },
  {
    name: 'a 429 that may be repeated at once',
    happens: answer(429, REST_ERROR, { 'retry-after': '0' }),
    says: /429: Rate Limit Exceeded: slow down/,
  },
  {
    name: 'a 429 with a date',
    happens: answer(429, '', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }),
    says: /429: Too Many Requests/,
  },
  { name: 'a 500', happens: answer(500, 'oops'), says: /500: oops/ },
  { name: 'a 502 with a page of HTML', happens: answer(502, PAGE), says: /502: .*Bad Gateway/ },
  { name: 'a 503 without a body', happens: answer(503), says: /503: Service Unavailable/ },
  {
    name: 'a 504 of 2 MiB',
    happens: { kind: 'flood', status: 504, bytes: LARGE_BYTES },
    says: /504: x{400}/,
  },
  { name: 'a 599', happens: answer(599), says: /599: no reason given/ },
  { name: 'no answer', happens: { kind: 'hang', after: 'request' }, says: /no answer within/, isSlow: true },
  {
    name: 'a reset before the body is read',
    happens: { kind: 'reset', after: 'headers' },
    says: /E(CONNRESET|PIPE)|UND_ERR_SOCKET/,
  },
  {
    name: 'a reset after the body',
    happens: { kind: 'reset', after: 'body' },
    says: /ECONNRESET|UND_ERR_SOCKET/,
  },
].map((fault) => ({ ...fault, means: 'retried' as const }) as Fault)

/** What goes wrong on the connection, before a server has seen the request. */
const BROKEN: readonly Fault[] = [
  {
    name: 'a reset on connecting',
    happens: (socket: Socket) => socket.resetAndDestroy(),
    says: /E(CONNRESET|PIPE)|UND_ERR_SOCKET/,
  },
  {
    name: 'a connection closed at once',
    happens: (socket: Socket) => socket.end(),
    says: /UND_ERR_SOCKET|ECONNRESET|EPIPE/,
  },
  {
    name: 'a connection closed after the request',
    happens: (socket: Socket) => socket.once('data', () => socket.end()),
    says: /UND_ERR_SOCKET|ECONNRESET/,
  },
  {
    name: 'another protocol',
    happens: (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
    says: /the answer is not HTTP/,
  },
  {
    name: 'half a status line',
    happens: (socket: Socket) => socket.once('data', () => socket.end('HTTP/1.1 2')),
    says: /UND_ERR_SOCKET|HPE_|ECONNRESET/,
  },
  {
    name: 'headers without an end',
    happens: (socket: Socket) =>
      socket.write(`HTTP/1.1 202 Accepted\r\n${'x-filler: 0123456789\r\n'.repeat(2000)}`),
    says: /no answer within/,
    isSlow: true,
  },
  {
    name: 'a switch of protocols that nobody asked for',
    happens: (socket: Socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'),
      ),
    says: /no answer within/,
    isSlow: true,
  },
  {
    name: 'a 102 and nothing after it',
    happens: (socket: Socket) => socket.once('data', () => socket.write('HTTP/1.1 102 Processing\r\n\r\n')),
    says: /no answer within/,
    isSlow: true,
  },
  { name: 'a 503 whose body trickles', happens: trickle, says: /503: /, isSlow: true },
  {
    name: 'a connection that is never served',
    happens: () => undefined,
    says: /no answer within/,
    isSlow: true,
  },
].map((fault) => ({ ...fault, means: 'retried' as const }))

function trickle(socket: Socket): void {
  socket.write('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 1000\r\n\r\n')
  const timer = setInterval(() => socket.write('.'), 50)
  socket.once('close', () => clearInterval(timer))
}

/** Every fault of the campaign. */
export const FAULTS: readonly Fault[] = [
  ...TAKEN,
  ...REFUSALS,
  ...TROUBLE,
  ...BROKEN,
  {
    name: 'a 429 that names no time',
    happens: answer(429),
    means: 'given up',
    says: /429: Too Many Requests/,
  },
  {
    name: 'a 503 that asks for an hour',
    happens: answer(503, '', { 'retry-after': '3600' }),
    means: 'given up',
    says: /503: Service Unavailable/,
  },
]

/** A sending command, and how many posts it makes. */
export interface SendingCommand {
  readonly name: string
  readonly args: readonly string[]
  readonly posts: number
  readonly stdin?: string
}

const SUMMARY = ['--summary', 'Migration is stuck'] as const
const DEDUP_KEY = ['--dedup-key', 'deploy/acme/shop/master'] as const

/** Every command that sends, with both forms of those that have two. */
export const SENDING_COMMANDS: readonly SendingCommand[] = [
  { name: 'success', args: ['success'], posts: 2 },
  { name: 'failure', args: ['failure'], posts: 1 },
  { name: 'change', args: ['change', ...SUMMARY], posts: 1 },
  { name: 'trigger', args: ['trigger', ...SUMMARY], posts: 1 },
  { name: 'acknowledge', args: ['acknowledge', ...DEDUP_KEY], posts: 1 },
  { name: 'resolve', args: ['resolve', ...DEDUP_KEY], posts: 1 },
  {
    name: 'send',
    args: ['send'],
    posts: 1,
    stdin: '{"event_action":"trigger","payload":{"summary":"Stuck"}}',
  },
  { name: 'run', args: ['run', '--strict'], posts: 2 },
]

/** Whether only the first attempt of each post goes wrong, or all of them. */
export const OCCASIONS = ['on the first attempt', 'on every attempt'] as const

/** How many runs the matrix has, and how many of them end in which way. */
export function matrixCounts(): Record<
  'faults' | 'commands' | 'runs' | 'accepted' | 'refused' | 'undelivered',
  number
> {
  const count = (means: Fault['means']): number =>
    FAULTS.filter((fault) => fault.means === means).length * SENDING_COMMANDS.length
  return {
    faults: FAULTS.length,
    commands: SENDING_COMMANDS.length,
    runs: FAULTS.length * SENDING_COMMANDS.length * OCCASIONS.length,
    // A retried event arrives if only the first attempt fails, and does not if all of them fail.
    accepted: 2 * count('accepted') + count('retried'),
    refused: 2 * count('refused'),
    undelivered: 2 * count('given up') + count('retried'),
  }
}
