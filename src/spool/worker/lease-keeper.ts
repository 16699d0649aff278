import { storeTrouble } from '../errors.ts'
import type { SpoolQueue } from '../spool.ts'

/** Takes the lease when it can be had, and knows why it cannot. */
export interface LeaseKeeper {
  /** Whether this process may deliver. Rejects with what keeps the lease from being taken by anybody. */
  ensure(): Promise<boolean>
  isHeld(): boolean
  /** Why nobody may deliver as far as this process can tell. */
  obstacle(): string | undefined
  release(): void
}

export interface LeaseKeeperHooks {
  readonly onTaken: () => Promise<void>
  /** Is told when the lease is taken, and whether it was at the first look. */
  readonly onLease: (isHeld: boolean) => void
}

/** A keeper that has not looked yet. */
export function createLeaseKeeper(queue: SpoolQueue, { onTaken, onLease }: LeaseKeeperHooks): LeaseKeeper {
  let isHeld = false
  let isFirstLook = true
  let obstacle: string | undefined
  const take = async (): Promise<boolean> => {
    try {
      const isTaken = await queue.tryLease()
      obstacle = undefined
      return isTaken
    } catch (error) {
      obstacle = storeTrouble(error)?.reason
      throw error
    }
  }
  return {
    ensure: async () => {
      if (isHeld) return true
      const isTaken = await take()
      if (isTaken) await onTaken()
      isHeld = isTaken
      if (isHeld || isFirstLook) onLease(isHeld)
      isFirstLook = false
      return isHeld
    },
    isHeld: () => isHeld,
    obstacle: () => obstacle,
    release: () => {
      queue.releaseLease()
      isHeld = false
    },
  }
}
