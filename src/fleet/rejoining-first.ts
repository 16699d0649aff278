import { Failure } from '../core/failure.ts'
import type { Alone } from './alone.ts'
import type { Engine } from './engine.ts'

/**
 * The same engine, which takes nothing that this relay may have delivered alone: the fleet offers such an event until it knows
 * the result. It is not enough to rejoin first, since a `take` may wait for a connection while events are delivered
 * alone. What it brings then is dropped; the fleet offers again what this relay does not hold. A fleet that can be reached but
 * refuses what is added cannot be told anything: it is asked anyway, since what it has was added before.
 */
export function rejoiningFirst<Taker extends Pick<Engine, 'take' | 'state'>>(
  engine: Taker,
  alone: Pick<Alone, 'rejoin' | 'owesResults' | 'timesBegun'>,
): Taker {
  return {
    ...engine,
    take: async (request) => {
      if (alone.owesResults()) {
        if (engine.state().kind !== 'up') throw away()
        await alone.rejoin()
      }
      const timesBegun = alone.timesBegun()
      const taken = await engine.take(request)
      if (alone.timesBegun() !== timesBegun) throw away()
      return taken
    },
  }
}

function away(): Failure {
  return new Failure('undelivered', 'this relay delivers without the fleet')
}
