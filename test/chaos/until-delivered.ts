import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until a relay has delivered all that its spool held. @throws if it takes too long. @returns how many are dead */
export async function untilDelivered(url: string, timeoutMs: number): Promise<number> {
  const giveUpAtMs = performance.now() + timeoutMs
  for (;;) {
    const answer = await fetch(`${url}/events?status=dead`)
    const { counts } = (await answer.json()) as { counts: { pending: number; dead: number } }
    if (counts.pending === 0) return counts.dead
    assert.ok(performance.now() < giveUpAtMs, `${counts.pending} events are still pending`)
    await sleep(200)
  }
}
