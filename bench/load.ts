import { connect } from 'node:net'
import { messageLength } from './http-message.ts'
import { percentile } from './statistics.ts'

/*
 * Posts events, each a different alert, to a relay for some seconds; each connection sends its next event when the last one
 * is answered. It speaks HTTP on bare sockets, so that it uses less of the machine than what it measures.
 * Ends with 1 at any answer but 202. Prints the JSON of a `Load`.
 * usage: load.ts URL CONNECTIONS SECONDS KEYS [KIND]
 *   KEYS  how many routing keys take turns; 0: the relay's own
 *   KIND  `alerts` (default) or `deployments`: the start of each, and then its outcome
 */

/** The result. */
export interface Load {
  readonly count: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const [url = '', ...others] = process.argv.slice(2)
const [connections = 1, seconds = 1, keys = 0] = others.slice(0, 3).map(Number)
const isOfDeployments = others[3] === 'deployments'
const { hostname, port } = new URL(url)
const DIGITS = 12
const ANSWER_BYTES = 16 * 1024
const timesMs: number[] = []
const run = `${process.pid}-${Date.now()}`
const padded = (number: number): string => String(number).padStart(DIGITS, '0')
let sent = 0

/** A request whose length never changes, so that its head is always the same. */
function nextRequest(): string {
  sent += 1
  if (!isOfDeployments) return requestOf('/v2/enqueue', alertOf(sent, DETAILS))
  const number = Math.ceil(sent / 2)
  const detailsOf = (outcome: string): string =>
    `"repository":"acme/shop","build_id":"${padded(number)}","outcome":"${outcome}",${DETAILS}`
  return sent % 2 === 0
    ? requestOf('/v2/enqueue', alertOf(number, detailsOf('failure')))
    : requestOf('/started', `{"within":"1h","event":${alertOf(number, detailsOf('started'))}}`)
}

const DETAILS = '"ci":"Codeship","branch":"master"'

function alertOf(number: number, details: string): string {
  const key = keys === 0 ? '' : `"routing_key":"${'b'.repeat(32 - DIGITS)}${padded(number % keys)}",`
  return (
    `{${key}"event_action":"trigger","dedup_key":"bench/${run}/${padded(number)}","payload":{"summary":"A deployment failed",` +
    `"source":"bench","severity":"error","custom_details":{${details}}}}`
  )
}

function requestOf(path: string, body: string): string {
  return (
    `POST ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\n` +
    `content-length: ${body.length}\r\n\r\n${body}`
  )
}

/** Resolves at the end of the time, when the last answer has arrived. */
async function keepPosting(untilMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let sentAtMs = 0
    let answer = ''
    const take = (text: string): void => {
      answer += text
      if (answer.length < (messageLength(answer) ?? Infinity)) return
      if (!answer.startsWith('HTTP/1.1 202')) reject(new Error(`answered: ${answer}`))
      const nowMs = performance.now()
      timesMs.push(nowMs - sentAtMs)
      if (nowMs < untilMs) return post()
      resolve()
      socket.destroy()
    }
    const buffer = Buffer.alloc(ANSWER_BYTES)
    const callback = (byteCount: number): boolean => {
      take(buffer.toString('latin1', 0, byteCount))
      return true
    }
    const onread = { buffer, callback } // a third cheaper than events and buffers of their own
    const socket = connect({ port: Number(port), host: hostname, noDelay: true, onread })
    const post = (): void => {
      answer = ''
      sentAtMs = performance.now()
      socket.write(nextRequest(), 'latin1')
    }
    socket.on('connect', post)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the relay closed a connection')))
  })
}

const startedAtMs = performance.now()
await Promise.all(Array.from({ length: connections }, () => keepPosting(startedAtMs + seconds * 1000)))
const load: Load = {
  count: timesMs.length,
  seconds: (performance.now() - startedAtMs) / 1000,
  p50Ms: percentile(timesMs, 0.5),
  p99Ms: percentile(timesMs, 0.99),
}
process.stdout.write(JSON.stringify(load))
