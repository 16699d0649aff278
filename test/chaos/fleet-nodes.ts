import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../support/postgres.ts'
import type { Chance } from './chance.ts'
import type { Trouble } from './fleet-judge.ts'

/** How long a node may be frozen. */
const MAX_FROZEN_MS = 3000
/** How long it may take until a standby is promoted. */
const MAX_FAILOVER_MS = 2000

/**
 * Kills or freezes one node after the other, and makes the cluster whole again each time.
 * @param onTrouble called after each, with what it was
 */
export async function troubleNodes(
  cluster: Cluster,
  {
    chance,
    troubles,
    onTrouble,
  }: { chance: Chance; troubles: Trouble[]; onTrouble: (what: 'kill' | 'freeze') => void },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(1000 + chance.number() * 2000)
    const node = chance.pick(cluster.nodes)
    const isPrimary = node === cluster.primary()
    const isKill = chance.number() < 0.6
    const trouble: Trouble = { kind: 'database', fromMs: Date.now(), untilMs: Infinity }
    if (isPrimary) troubles.push(trouble) // without a standby everything goes on
    if (isKill) {
      await node.kill()
      if (isPrimary) {
        await sleep(chance.number() * MAX_FAILOVER_MS)
        await cluster.promote()
      }
      trouble.untilMs = Date.now()
      await cluster.rejoin(node)
    } else {
      node.freeze()
      await sleep(chance.number() * MAX_FROZEN_MS)
      node.thaw()
      trouble.untilMs = Date.now()
    }
    onTrouble(isKill ? 'kill' : 'freeze')
  }
}
