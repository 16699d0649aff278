import type { Outcome } from '../core/outcome.ts'
import type { Secret } from '../core/secret.ts'
import { createRequest, type Post } from './request.ts'
import { deliver, type Clock, type DeliveryResult, type Retry } from './retry.ts'
import type { Transport } from './transport.ts'

/** The result of one post. `queued` means that a spool keeps it for later. */
export interface Delivery extends Omit<DeliveryResult, 'outcome'> {
  readonly outcome: DeliveryResult['outcome'] | 'queued'
  readonly post: Post
}

export interface Sender {
  /**
   * Sends all posts in parallel. One that fails neither stops nor repeats the others.
   * @param maxAttempts of each post; no limit if omitted
   */
  send(posts: readonly Post[], maxAttempts?: number): Promise<Delivery[]>
}

/** One attempt and its outcome. */
export interface Attempt {
  readonly url: string
  /** Size of the request's body. */
  readonly bytes: number
  readonly outcome: Outcome
  readonly durationMs: number
}

export interface SenderDeps {
  readonly transport: Transport
  readonly clock: Clock
  /** When the whole invocation must end, on the clock's scale. */
  readonly deadlineAtMs: number
  readonly timeoutMs: number
  readonly userAgent: string
  readonly signal: AbortSignal
  /** Masked in everything that a server answers, in addition to the secrets of the requests. */
  readonly secrets: readonly Secret[]
  readonly onAttempt: (post: Post, attempt: Attempt) => void
  readonly onRetry: (post: Post, retry: Retry) => void
}

/** A sender of posts over one transport. */
export function createSender(deps: SenderDeps): Sender {
  const { transport, clock, deadlineAtMs, timeoutMs, userAgent, signal, secrets, onAttempt, onRetry } = deps
  const sendOne = async (post: Post, maxAttempts?: number): Promise<Delivery> => {
    const own = createRequest(post.event, post.destination, userAgent)
    const request = { ...own, secrets: [...own.secrets, ...secrets] }
    const result = await deliver({
      attempt: async (budgetMs, attemptSignal) => {
        const startMs = clock.now()
        const outcome = await transport.post(request, budgetMs, attemptSignal)
        const durationMs = clock.now() - startMs
        onAttempt(post, { url: request.url, bytes: request.body.length, outcome, durationMs })
        return outcome
      },
      deadlineAtMs,
      timeoutMs,
      ...(maxAttempts !== undefined && { maxAttempts }),
      clock,
      signal,
      onRetry: (retry) => onRetry(post, retry),
    })
    return { ...result, post }
  }
  return {
    send: (posts, maxAttempts) => Promise.all(posts.map((post) => sendOne(post, maxAttempts))),
  }
}
