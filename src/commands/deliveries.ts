import type { Post } from '../delivery/request.ts'
import type { Delivery } from '../delivery/sender.ts'

/** Deliveries in the order of their posts. */
export function inOrder(posts: readonly Post[], deliveries: readonly Delivery[]): Delivery[] {
  return deliveries.toSorted((a, b) => posts.indexOf(a.post) - posts.indexOf(b.post))
}

/** A post that must not be sent yet, as if its first attempt had failed. */
export function toUntried(post: Post, reason: string): Delivery {
  return { post, outcome: 'undelivered', attempts: 0, durationMs: 0, reason, retryInMs: 0 }
}
