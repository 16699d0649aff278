import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Action, Event } from '../../src/core/event.ts'
import { createSecret } from '../../src/core/secret.ts'
import { openSpool } from '../../src/spool/open.ts'
import type { SpoolOptions } from '../../src/spool/open.ts'
import type { ListedSpool } from '../../src/spool/listing.ts'
import type { SpoolItem, SpoolKey } from '../../src/spool/spool.ts'
import { KEY } from './program.ts'

/** The deliverer's key of the name that a single one has. */
export const DEFAULT_KEY: SpoolKey = { kind: 'configured', name: 'default' }

/** A caller's key: the given number makes it different from all others. */
export function ownKey(number = 0): SpoolKey {
  return { kind: 'own', key: createSecret(`${KEY.slice(0, 24)}${String(number).padStart(8, '0')}`) }
}

export function alertItem(action: Action, dedupKey: string, key = DEFAULT_KEY): SpoolItem {
  const payload = { summary: `${action} of ${dedupKey}`, source: 'test', severity: 'error' } as const
  const event: Event = {
    kind: 'alert',
    body: { event_action: action, dedup_key: dedupKey, ...(action === 'trigger' && { payload }) },
  }
  return { event, key }
}

export function changeItem(summary: string, key = DEFAULT_KEY): SpoolItem {
  return { event: { kind: 'change', body: { payload: { summary, source: 'test' } } }, key }
}

/** A directory that is gone after the test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'spool-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface OpenedSpool {
  readonly spool: ListedSpool
  readonly directory: string
  readonly warnings: string[]
}

/** A spool in a directory of its own, closed after the test. */
export async function openTestSpool(
  t: TestContext,
  options: Partial<SpoolOptions> = {},
): Promise<OpenedSpool> {
  const directory = options.directory ?? temporaryDirectory(t)
  const warnings: string[] = []
  const spool = await openSpool({
    limit: 1000,
    onWarning: (message) => warnings.push(message),
    ...options,
    directory,
  })
  t.after(() => spool.close())
  return { spool, directory, warnings }
}
