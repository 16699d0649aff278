import { knownSecrets } from '../config/known-secrets.ts'
import type { Config } from '../config/load.ts'
import type { PrintConfig } from '../config/printing.ts'
import { ENDPOINT, type Event } from '../core/event.ts'
import { formatMs } from '../core/duration.ts'
import { EXIT_CODE, Failure } from '../core/failure.ts'
import { successKeyFor, type Identity, type Traced } from '../core/identity.ts'
import { maskSecrets } from '../core/mask-secrets.ts'
import { refusalAdvice } from '../core/refusal-advice.ts'
import type { Post } from '../delivery/request.ts'
import type { Retry } from '../delivery/retry.ts'
import type { Attempt, Delivery } from '../delivery/sender.ts'
import type { Log } from '../log.ts'
import { isRandomDedupKey, type Io, type Session } from './session.ts'

/** The result of the whole invocation: the worst of its events. */
export type Verdict = 'accepted' | 'queued' | 'refused' | 'undelivered'

/** `change event`, `trigger of deploy/acme/shop/master`; with the key's alias if there are several keys. */
export function describePost({ event, alias }: Post): string {
  const { event_action: action, dedup_key: dedupKey } = event.body
  const what = event.kind === 'change' ? 'change event' : `${action} of ${dedupKey}`
  return alias === undefined ? what : `${what} (key ${alias})`
}

/** The message about each attempt with `--verbose`. */
export function describeAttempt(post: Post, { url, bytes, outcome, durationMs }: Attempt): string {
  const answer = outcome.kind === 'accepted' ? outcome.status : outcome.reason
  return `${describePost(post)}: POST ${url}, ${bytes} bytes: ${answer} (after ${Math.round(durationMs)} ms)`
}

/** The message that keeps a build from being silent between two attempts. */
export function describeRetry(post: Post, { attempt, reason, delayMs, leftMs }: Retry): string {
  return `${describePost(post)}: attempt ${attempt} failed: ${reason}; next try in ${formatMs(delayMs)}, ${formatMs(leftMs)} left after it`
}

/** One line for each post: that it was accepted, or why not and what to do. */
function logDelivery(log: Log, delivery: Delivery, config: DeliveryLogging['config']): void {
  const { deadlineMs, timeoutMs, region } = config.delivery
  const { post, outcome, attempts, durationMs, status, reason = '' } = delivery
  const what = describePost(post)
  if (outcome === 'accepted') return log.info(`${what}: accepted (${status})`)
  if (outcome === 'refused') {
    const { routingKey } = post.destination
    const advice = refusalAdvice({ kind: post.event.kind, status, reason, routingKey, region })
    return log.error(`${what}: refused with ${reason}${advice === undefined ? '' : `\n${advice}`}`)
  }
  if (outcome === 'queued')
    return log.warn(
      config.spool === undefined
        ? `${what}: kept in the fleet (${reason}); its relays deliver it`
        : `${what}: kept in the spool (${reason}); flush or a relay delivers it`,
    )
  const tries = `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} in ${formatMs(durationMs)}`
  const limits = `deadline ${formatMs(deadlineMs)}, ${formatMs(timeoutMs)} an attempt`
  return log.error(`${what}: not delivered: ${reason} (${tries}; ${limits})`)
}

/** The worst outcome of all; a refusal is worse than a failed delivery, since a retry cannot fix it. */
export function verdictOf(deliveries: readonly Delivery[]): Verdict {
  const outcomes = new Set(deliveries.map(({ outcome }) => outcome))
  if (outcomes.has('refused')) return 'refused'
  if (outcomes.has('undelivered')) return 'undelivered'
  return outcomes.has('queued') ? 'queued' : 'accepted'
}

export function exitCodeOf(verdict: Verdict): number {
  return verdict === 'accepted' || verdict === 'queued' ? 0 : EXIT_CODE[verdict]
}

/** Whether PagerDuty shows an event that it has accepted. */
export interface Confirmation {
  /** Absent if that could not be found out. */
  readonly isShown?: boolean
  /** One sentence: where it is shown, or why not. */
  readonly sentence: string
}

/** What `--json` reports about an invocation. */
export interface JsonReport {
  readonly command: string
  readonly outcome: Verdict
  /** The exit status of the process; undefined if it is not known yet. */
  readonly exitCode: number | undefined
  readonly deliveries?: readonly Delivery[]
  /** Absent if PagerDuty was not asked whether it shows the events. */
  readonly confirmations?: ReadonlyMap<Delivery, Confirmation> | undefined
  /** Why nothing was sent. */
  readonly reason?: string
}

/** The one line of `--json`. What does not apply is absent. */
export function jsonLine({
  command,
  outcome,
  exitCode,
  deliveries = [],
  confirmations,
  reason,
}: JsonReport): string {
  const events = deliveries.map((delivery) => ({
    kind: delivery.post.event.kind,
    action: delivery.post.event.body.event_action,
    endpoint: ENDPOINT[delivery.post.event.kind],
    key: delivery.post.alias,
    outcome: delivery.outcome,
    status: delivery.status,
    dedup_key: delivery.post.event.body.dedup_key,
    attempts: delivery.attempts,
    duration_ms: delivery.durationMs,
    reason: delivery.reason,
    confirmed: confirmations?.get(delivery)?.isShown,
    confirmation: confirmations?.get(delivery)?.sentence,
  }))
  return `${JSON.stringify({ command, outcome, exit_code: exitCode, events, reason })}\n`
}

/** Where the results of deliveries are logged. */
interface DeliveryLogging {
  readonly io: Pick<Io, 'signal'>
  readonly config: Pick<Config, 'delivery' | 'spool'>
  readonly log: Log
}

/**
 * Says what happened to each post.
 * @returns the exit status
 */
export function logDeliveries({ io, config, log }: DeliveryLogging, deliveries: readonly Delivery[]): number {
  const verdict = verdictOf(deliveries)
  const isInterrupted = io.signal.aborted && verdict !== 'accepted'
  for (const delivery of deliveries) {
    if (isInterrupted && delivery.outcome === 'undelivered')
      log.error(`${describePost(delivery.post)}: interrupted`)
    else logDelivery(log, delivery, config)
  }
  return isInterrupted ? Number(io.signal.reason) : exitCodeOf(verdict)
}

/**
 * Prints the result on stdout if requested.
 * @param own the exit status of the report alone
 */
export function printDeliveries(
  { io, command, json, exitStatus = (status) => status }: Session,
  deliveries: readonly Delivery[],
  { own, confirmations }: { own: number; confirmations: JsonReport['confirmations'] },
): void {
  const outcome = verdictOf(deliveries)
  if (json) io.writeOut(jsonLine({ command, outcome, exitCode: exitStatus(own), deliveries, confirmations }))
  else if (command === 'trigger' && outcome !== 'refused') {
    io.writeOut(`${triggeredKey(deliveries.map(({ post }) => post.event)) ?? ''}\n`)
  }
}

/** The dedup key of a trigger, which is what `trigger` prints. */
function triggeredKey(events: readonly Event[]): string | undefined {
  return events.find(({ body }) => body.event_action === 'trigger')?.body.dedup_key
}

/** What is needed to report a failure. */
interface Reporting {
  readonly io: Pick<Io, 'env' | 'recall' | 'signal' | 'writeOut'>
  readonly log: Log
  readonly printing: PrintConfig
  readonly command: string
}

/** Says why a command failed. @returns the exit status */
export function reportFailure({ io, log, printing, command }: Reporting, failure: Failure): number {
  if (io.signal.aborted) return Number(io.signal.reason)
  const { kind } = failure
  const message = maskSecrets(failure.message, knownSecrets(io.env, io.recall))
  log.error(message)
  if (printing.json) io.writeOut(failureLine(command, { kind, message }, EXIT_CODE[kind]))
  return EXIT_CODE[kind]
}

/** A failure as it is; anything else is a bug. */
export function toFailure(error: unknown, io: Pick<Io, 'env' | 'recall'>): Failure {
  return error instanceof Failure ? error : new Failure('internal', describeBug(error, io), { cause: error })
}

/**
 * What is shown of an unexpected error: enough to report it, and nothing secret. The message of a syntax error is omitted,
 * since it quotes what was parsed.
 */
export function describeBug(error: unknown, { env, recall }: Pick<Io, 'env' | 'recall'>): string {
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  const title = name === 'SyntaxError' ? name : `${name}: ${message}`
  return maskSecrets(
    ['this is a bug, please report it', title, ...frames].join('\n'),
    knownSecrets(env, recall),
  )
}

/**
 * The line if nothing was sent, because this program refused the request.
 * @param exitCode the exit status of the process; undefined if it is not known yet
 */
export function failureLine(
  command: string,
  { kind, message }: Pick<Failure, 'kind' | 'message'>,
  exitCode: number | undefined,
): string {
  const verdict: Verdict = kind === 'undelivered' || kind === 'internal' ? 'undelivered' : 'refused'
  return jsonLine({ command, outcome: verdict, exitCode, reason: message })
}

/**
 * Logs where the environment, dedup key and source of the events came from: they decide which events belong together. If a
 * value differs from the one that options and build give, it comes from the event itself.
 */
export function explainIdentity(events: readonly Event[], identity: Identity, log: Log): void {
  const bodies = events.map(({ body }) => body)
  const key = bodies.findLast((body) => body.dedup_key !== undefined)?.dedup_key
  const source = bodies.find((body) => body.payload?.source !== undefined)?.payload?.source
  const hasAlert = events.some(({ kind }) => kind === 'alert')
  const isShown = bodies.some((body) => body.payload?.custom_details?.['environment'] !== undefined)
  // A change event made of options alone does not say what environment the build is for.
  if (hasAlert || isShown || identity.environment === undefined)
    explain(log, 'environment', identity.environment)
  if (hasAlert) explain(log, 'dedup key', traceKey(key, identity))
  if (source !== undefined) explain(log, 'source', trace(source, identity.source))
}

function explain(log: Log, name: string, traced: Traced | undefined): void {
  log.info(traced === undefined ? `${name}: none` : `${name}: ${traced.value} (${traced.origin})`)
}

function traceKey(key: string | undefined, { dedupKey }: Identity): Traced | undefined {
  if (key === undefined) return undefined
  return isRandomDedupKey(key)
    ? { value: key, origin: 'random, since nothing names the alert' }
    : trace(key, dedupKey && key === successKeyFor(dedupKey.value) ? { ...dedupKey, value: key } : dedupKey)
}

function trace(value: string, known: Traced | undefined): Traced {
  return { value, origin: value === known?.value ? known.origin : 'the event' }
}
