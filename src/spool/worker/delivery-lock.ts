import { storeProblem } from '../errors.ts'
import type { SpoolQueue } from '../spool.ts'

/** Takes the delivery lock as soon as it is free, and knows why that fails. */
export interface LockKeeper {
  /** Whether this process may deliver. Rejects with the error that keeps any process from taking the lock. */
  ensure(): Promise<boolean>
  isHeld(): boolean
  /** Why no process can deliver, as far as this one knows. */
  obstacle(): string | undefined
  release(): void
}

export interface LockKeeperHooks {
  readonly onTaken: () => Promise<void>
  /** Called when the lock is taken, and after the first try. */
  readonly onLock: (isHeld: boolean) => void
}

/** A keeper that has not tried yet. */
export function createLockKeeper(queue: SpoolQueue, { onTaken, onLock }: LockKeeperHooks): LockKeeper {
  let isHeld = false
  let isFirstTry = true
  let obstacle: string | undefined
  const take = async (): Promise<boolean> => {
    try {
      const isTaken = await queue.tryLock()
      obstacle = undefined
      return isTaken
    } catch (error) {
      obstacle = storeProblem(error)?.reason
      throw error
    }
  }
  return {
    ensure: async () => {
      if (isHeld) return true
      const isTaken = await take()
      if (isTaken) await onTaken()
      isHeld = isTaken
      if (isHeld || isFirstTry) onLock(isHeld)
      isFirstTry = false
      return isHeld
    },
    isHeld: () => isHeld,
    obstacle: () => obstacle,
    release: () => {
      queue.releaseLock()
      isHeld = false
    },
  }
}
