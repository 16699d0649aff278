import { storeProblem } from '../errors.ts'
import type { SpoolQueue } from '../spool.ts'

/** Takes the lock when it can be had, and knows why it cannot. */
export interface LockKeeper {
  /** Whether this process may deliver. Rejects with what keeps the lock from being taken by anybody. */
  ensure(): Promise<boolean>
  isHeld(): boolean
  /** Why nobody may deliver as far as this process can tell. */
  obstacle(): string | undefined
  release(): void
}

export interface LockKeeperHooks {
  readonly onTaken: () => Promise<void>
  /** Is told when the lock is taken, and whether it was at the first look. */
  readonly onLock: (isHeld: boolean) => void
}

/** A keeper that has not looked yet. */
export function createLockKeeper(queue: SpoolQueue, { onTaken, onLock }: LockKeeperHooks): LockKeeper {
  let isHeld = false
  let isFirstLook = true
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
      if (isHeld || isFirstLook) onLock(isHeld)
      isFirstLook = false
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
