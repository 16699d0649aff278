import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { within } from './processes.ts'
import type { Servers } from './servers.ts'

/** What a section gets. */
export interface Bench {
  readonly servers: Servers
  /** A folder that is empty, and removed after the run. */
  readonly folder: string
  /** Aborts when the section is over, so that everything it has started ends. */
  readonly signal: AbortSignal
  /** Whether only to check that it works. */
  readonly isSmoke: boolean
}

/** A part of the run that failed, and how. */
export interface FailedSection {
  readonly name: string
  readonly reason: string
}

/** Measures parts one after the other, each within its own limits and the run's. */
export interface Sections {
  /** Returns what was measured, or undefined if that failed. */
  readonly measure: <T>(
    name: string,
    budgetMs: number,
    work: (bench: Bench) => T | Promise<T>,
  ) => Promise<T | undefined>
  readonly failed: () => readonly FailedSection[]
}

export interface SectionsOptions {
  readonly servers: Servers
  readonly folder: string
  readonly isSmoke: boolean
  /** Time limit of the whole run: a section that begins later fails. */
  readonly totalMs: number
  readonly tell: (text: string) => void
  /** Only sections with this text in their name are measured. Default: all. */
  readonly only?: string
}

/** Begins a run. A section that fails is reported, and the others continue. */
export function createSections(options: SectionsOptions): Sections {
  const { servers, folder, isSmoke, totalMs, tell, only = '' } = options
  const failed: FailedSection[] = []
  const endsAtMs = performance.now() + totalMs
  return {
    failed: () => failed,
    measure: async (name, budgetMs, work) => {
      if (!name.includes(only)) return undefined
      const startedAtMs = performance.now()
      const leftMs = Math.min(budgetMs, endsAtMs - startedAtMs)
      const own = join(folder, name.replaceAll(/\W+/g, '-'))
      const ending = new AbortController()
      tell(`${name} … `)
      try {
        if (leftMs <= 0) throw new Error('the time of the whole run is over')
        mkdirSync(own, { recursive: true })
        const result = work({ servers, folder: own, signal: ending.signal, isSmoke })
        const found = await within(leftMs, Promise.resolve(result))
        tell(`${((performance.now() - startedAtMs) / 1000).toFixed(1)} s\n`)
        return found
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        failed.push({ name, reason })
        tell(`FAILED: ${reason}\n`)
        return undefined
      } finally {
        ending.abort()
      }
    },
  }
}
