import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fillDisk, mountSmallDisk } from '../support/tmpfs.ts'
import type { Chance } from './chance.ts'

/** More than all events of a run need, so that only the filler fills it. */
const SIZE_MIB = 48
/** A full disk has up to this many blocks left: enough for some writes of SQLite, and not for others. */
const MOST_FREE_BLOCKS = 40

/** When a disk had no room; milliseconds since the epoch. */
export interface FullPeriod {
  readonly fromMs: number
  readonly untilMs: number
}

/** A disk that fills and empties. */
export interface FillingDisk {
  readonly directory: string
  /** The times that are over. */
  readonly fullPeriods: readonly FullPeriod[]
  /** Takes its space and gives it back at random, until the signal is aborted. There is room at the end. */
  readonly fillAndEmpty: (signal: AbortSignal) => Promise<void>
}

/** Mounts the disk for one test, which needs the requirement `mount`. */
export function mountFillingDisk(t: TestContext, chance: Chance): FillingDisk {
  const { directory } = mountSmallDisk(t, SIZE_MIB)
  const filler = join(directory, 'filler')
  const fullPeriods: FullPeriod[] = []
  return {
    directory,
    fullPeriods,
    fillAndEmpty: async (signal) => {
      while (!signal.aborted) {
        await sleep(500 + chance.number() * 3000)
        const fromMs = Date.now()
        fillDisk(filler, directory, Math.floor(chance.number() * MOST_FREE_BLOCKS))
        await sleep(200 + chance.number() * 2000)
        rmSync(filler)
        fullPeriods.push({ fromMs, untilMs: Date.now() })
      }
    },
  }
}
