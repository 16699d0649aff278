import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until a relay has delivered all that its spool held. @throws if events are dead, or it takes too long */
export async function untilDelivered(url: string, timeoutMs: number): Promise<void> {
  const giveUpAtMs = performance.now() + timeoutMs
  for (;;) {
    const answer = await fetch(`${url}/events?status=dead`)
    const { counts } = (await answer.json()) as { counts: { pending: number; dead: number } }
    if (counts.pending === 0) return assert.equal(counts.dead, 0)
    assert.ok(performance.now() < giveUpAtMs, `${counts.pending} events are still pending`)
    await sleep(200)
  }
}
