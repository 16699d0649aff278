import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../support/postgres.ts'

/** Waits until nothing is pending, neither in the fleet nor in the spools, and lets no retry wait for its time. */
export async function untilAllDelivered(
  cluster: Cluster,
  { urls, relays, patienceMs }: { urls: () => string[]; relays: number; patienceMs: number },
): Promise<void> {
  const giveUpAtMs = performance.now() + patienceMs
  const isDelivered = async (): Promise<boolean> => {
    await cluster.primary().query('UPDATE pagerduty_alert.pending SET due_at = now() WHERE due_at > now()')
    const pending = await Promise.all(
      urls().map(async (url) => {
        const answer = await fetch(`${url}/events`)
        if (!answer.ok) return undefined // the database has just been started
        const { counts } = (await answer.json()) as { counts: { pending: number } }
        return counts.pending
      }),
    )
    const [row] = await cluster
      .primary()
      .query<{ count: number }>('SELECT count(*)::int AS count FROM pagerduty_alert.pending')
    return pending.length === relays && [...pending, row?.count].every((count) => count === 0)
  }
  while (!(await isDelivered())) {
    if (performance.now() > giveUpAtMs) {
      const keys = await cluster
        .primary()
        .query('SELECT id, owner, epoch, lease_until::text FROM pagerduty_alert.key')
      const pending = await cluster
        .primary()
        .query('SELECT key_id, count(*), min(due_at)::text AS due FROM pagerduty_alert.pending GROUP BY 1')
      assert.fail(`events are still pending: ${JSON.stringify({ keys, pending }, undefined, 1)}`)
    }
    await sleep(300)
  }
}
