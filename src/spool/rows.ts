import { crc32 } from 'node:zlib'
import { alertKeyOf, deploymentOf, type Deployment } from '../core/deployment.ts'
import type { Event } from '../core/event.ts'
import { createSecret } from '../core/secret.ts'
import type { DueEvent, EventStatus, SpoolEntry, SpoolItem, SpoolKey } from './spool.ts'

/** An item as it is written, made before the transaction begins. */
export interface NewRow {
  /** One that was reserved; the next free one if omitted. */
  readonly id?: number
  readonly key: SpoolKey
  readonly kind: Event['kind']
  readonly action: string | null
  readonly dedupKey: string | null
  readonly body: string
  /** The deployment that the event reports, if any. */
  readonly deployment?: Deployment
  /** The dedup key of that deployment's failure alert. */
  readonly alertKey?: string
}

/** @param nowMs used for an event without a time */
export function toRow({ event, key }: SpoolItem, nowMs: number): NewRow {
  const { kind, body } = event
  const isAlert = kind === 'alert'
  const deployment = deploymentOf(event, nowMs)
  return {
    key,
    kind,
    action: isAlert ? (body.event_action ?? null) : null,
    dedupKey: isAlert ? (body.dedup_key ?? null) : null,
    body: JSON.stringify(body),
    ...(deployment !== undefined && { deployment, alertKey: alertKeyOf(event, deployment) }),
  }
}

/**
 * CRC-32 of everything about an event that a failing disk must not change: its key, its endpoint and its content. SQLite's
 * own checks cover its structures, not the values in them.
 */
export function checksumOf(key: SpoolKey, kind: Event['kind'], body: string): number {
  return crc32(body, crc32(`${kind} ${key.kind} ${keyText(key)}`))
}

/** The text that a key is stored as. */
export function keyText(key: SpoolKey): string {
  return key.kind === 'own' ? key.key.reveal() : key.name
}

/** The columns of an event of any status that a list needs. */
export interface EntryRow {
  readonly id: number
  readonly kind: Event['kind']
  readonly action: string | null
  readonly dedup_key: string | null
  readonly accepted_at: number
  readonly attempts: number
  readonly http_status: number | null
  readonly reason: string | null
  readonly name: string | null
  readonly secret: string | null
}

export function toEntry(row: EntryRow, status: EventStatus): SpoolEntry {
  return {
    id: row.id,
    status,
    kind: row.kind,
    key: toKey(row),
    acceptedAtMs: row.accepted_at,
    attempts: row.attempts,
    ...(row.action !== null && { action: row.action }),
    ...(row.dedup_key !== null && { dedupKey: row.dedup_key }),
    ...(row.http_status !== null && { httpStatus: row.http_status }),
    ...(row.reason !== null && { reason: row.reason }),
  }
}

export interface KeyRow {
  readonly name: string | null
  readonly secret: string | null
}

export function toKey({ name, secret }: KeyRow): SpoolKey {
  return secret === null
    ? { kind: 'configured', name: name ?? '' }
    : { kind: 'own', key: createSecret(secret) }
}

/** The columns of a pending event that an attempt needs. */
export interface DueRow {
  readonly id: number
  readonly key_id: number
  readonly kind: Event['kind']
  readonly dedup_key: string | null
  readonly accepted_at: number
  readonly attempts: number
  readonly checksum: number
  readonly body: string
}

export function toDueEvent(row: DueRow): DueEvent {
  return {
    id: row.id,
    keyId: row.key_id,
    kind: row.kind,
    ...(row.dedup_key !== null && { dedupKey: row.dedup_key }),
    body: row.body,
    attempts: row.attempts,
    acceptedAtMs: row.accepted_at,
    checksum: row.checksum,
  }
}
