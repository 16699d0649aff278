import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/** A moment by the kernel's clock, which no step of the system's time moves, and the boot that it counts from. */
export interface BootTime {
  readonly id: string
  readonly uptimeMs: number
}

/**
 * A clock that processes of the same boot share, so that a deadline outlives a restart even if the system's time was
 * stepped in between. Undefined if the system has none: then only the system's time is left.
 */
export function openBootClock(): (() => BootTime) | undefined {
  try {
    // https://docs.kernel.org/admin-guide/sysctl/kernel.html#random
    const id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return id === '' ? undefined : () => ({ id, uptimeMs: Math.round(uptime() * 1000) })
  } catch {
    return undefined
  }
}
