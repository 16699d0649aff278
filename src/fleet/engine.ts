import type { Event } from '../core/event.ts'
import type { Secret } from '../core/secret.ts'
import type { DeadCause, DueEvent, SpoolKey } from '../spool/spool.ts'
import type { Begun, Deadlines, EarlierStart, Start } from '../spool/deadlines.ts'
import type { EngineListing } from './engine-listing.ts'
import type { FleetItem } from './fleet-items.ts'
import type { Member } from './member-conflicts.ts'

/*
 * The durable queue that the relays of a fleet share: one PostgreSQL server. `open.ts` opens it.
 *
 * All times are the server's, or durations: no relay's clock is involved. `nowMs` in an answer is the server's time when it
 * was made. Events keep the ids that the server gave them; they are small numbers, so none equals an id of a local spool.
 *
 * A method rejects with a `Failure` of kind `undelivered` if the server cannot be reached, answers with an error or takes too
 * long. The outcome is then unknown, and every method can be repeated: adding, settling and claiming twice is the same as
 * once. Methods that deliver, methods that add and methods that read use different connections, so that a long list
 * delays no renewal.
 */

/** A key that a relay delivers for. Each claim has a larger epoch than the one before. */
export interface Lease {
  readonly keyId: number
  readonly epoch: number
}

/** A key that this relay owns now, and under which name or secret its events go out. */
export interface OwnedKey extends Lease {
  readonly key: SpoolKey
}

/** Keys that this relay owns now. */
export interface Owned {
  /** How long the leases last from the moment at which the question was sent. */
  readonly leaseMs: number
  readonly leases: readonly OwnedKey[]
}

export interface Renewed extends Owned {
  /** Relays that renewed within the last lease, this one included. */
  readonly relays: number
}

export interface ClaimRequest {
  /** Most keys to claim. */
  readonly most: number
  readonly leaseMs: number
  /** Names of configured keys that this relay can resolve (`spool/key-names.ts`). Callers' own keys are always claimed. */
  readonly names: readonly string[]
}

export interface Claimed extends Owned {
  /** Keys with events, owned or not; counted up to 10,000. */
  readonly activeKeys: number
}

/** Attempts that a key may have in a time, of all relays together. */
export interface Rate {
  readonly permits: number
  readonly windowMs: number
}

/** Which events of a key are wanted. */
export interface KeyRequest extends Lease {
  /** Most attempts that may begin now. */
  readonly most: number
  /** At most how many of each kind, never tried and tried; no limit if omitted. */
  readonly wants?: Readonly<Record<Event['kind'], Readonly<Record<'fresh' | 'tried', number>>>>
}

export interface TakeRequest {
  readonly keys: readonly KeyRequest[]
  /** Most events in all. */
  readonly room: number
  /** Ids of events that this relay holds already. */
  readonly busy: readonly number[]
  readonly rate: Rate
}

/** An event to attempt, with a permit to do so. */
export interface TakenEvent extends DueEvent {
  readonly epoch: number
}

/** The state of a key after its events were taken. */
export interface KeyTaken {
  readonly keyId: number
  /** Another relay owns the key, or its lease has less than a second left: nothing of it was taken. */
  readonly isLost: boolean
  /** Permits that were given: one for each event. */
  readonly permits: number
  /** More events are due now. */
  readonly isMore: boolean
  /** When the next permit is available, in milliseconds from now; 0 if at once. */
  readonly permitInMs: number
  /** When the next event that is not due yet becomes due, in milliseconds from now; absent if there is none. */
  readonly dueInMs?: number
}

export interface Taken {
  readonly nowMs: number
  /** Of each key alerts before change events, those never tried and those tried in turns. */
  readonly events: readonly TakenEvent[]
  readonly keys: readonly KeyTaken[]
}

/** The result of an attempt. */
export type FleetSettlement = FleetResult &
  Pick<TakenEvent, 'id' | 'keyId' | 'epoch' | 'checksum'> & {
    /** When the attempt began, in milliseconds before now, and how long it took. */
    readonly attempt?: { readonly agoMs: number; readonly ms: number }
  }

export type FleetResult =
  | { readonly kind: 'delivered'; readonly httpStatus: number }
  | {
      readonly kind: 'dead'
      readonly cause: DeadCause
      readonly reason: string
      readonly httpStatus?: number
    }
  | {
      readonly kind: 'postponed'
      readonly reason: string
      readonly httpStatus?: number
      /** When to try again, in milliseconds from now. */
      readonly waitMs: number
    }

/**
 * The outcome of a settlement.
 *
 * - `settled`: written; but if another relay has delivered the event after all, it counts as delivered
 * - `noted`: another relay owns the key by now, and knows that the event was delivered; the next event of its alert waits
 *   until that relay has finished its own attempt, if any
 * - `lost`: another relay owns the key by now, and decides
 * - `gone`: the event is no longer pending
 */
export type Settled = 'settled' | 'noted' | 'lost' | 'gone'

/** Whether the server can be used; with `host:port` of the one that is connected, or why there is none. */
export type EngineState =
  | { readonly kind: 'up'; readonly host: string }
  | {
      readonly kind: 'down'
      readonly reason: string
      /** Whether an operator has to change something: the address, a password, the tables or the secret. */
      readonly isConfiguration: boolean
    }

/** The relay's side of delivering. */
export interface EngineDelivery {
  /** Prolongs these leases, and says that this relay is alive. What is missing from the answer is lost. */
  renew(leaseMs: number, held: readonly Lease[]): Promise<Renewed>
  /** Claims keys that have something due and no owner whose lease lasts. */
  claim(request: ClaimRequest): Promise<Claimed>
  /** Gives keys back; if omitted, all of this relay's name. The others are told to claim those `forOthers`. */
  release(held?: readonly Lease[], forOthers?: readonly number[]): Promise<void>
  /**
   * Takes due events of owned keys, and writes a permit for each before it answers. A permit counts from that moment for
   * `rate.windowMs`, so use it soon: the window must be one minute plus the time after which an unused permit is dropped.
   */
  take(request: TakeRequest): Promise<Taken>
  /** Gets permits for events that this relay holds already. Returns how many each key got. */
  permit(
    keys: readonly KeyRequest[],
    rate: Rate,
  ): Promise<Pick<KeyTaken, 'keyId' | 'isLost' | 'permits' | 'permitInMs'>[]>
  /** Writes results. Returns the outcome of each, in the same order. */
  settle(settlements: readonly FleetSettlement[]): Promise<Settled[]>
  /** Makes waiting events of an owned key due at most `waitMs` from now, after the key works again. */
  clampDue(lease: Lease, waitMs: number): Promise<void>
  /** Removes what no longer matters. Each relay may call it every minute; one of them does the work. */
  tidy(): Promise<void>
}

/** What a process says about itself. */
export interface Introduction {
  readonly directoryMark?: string
  /** The keys that it would send with, by the names under which events are stored. */
  readonly keys: ReadonlyMap<string, Secret>
}

/** Which processes use the fleet. */
export interface EngineMembership {
  /** Says that this process is alive, and returns all that are. Without PAGERDUTY_FLEET_SECRET nothing about its keys is stored. */
  introduce(introduction: Introduction): Promise<readonly Member[]>
  /** The processes that are alive. */
  members(): Promise<readonly Member[]>
  /** Says that this process ends; call it after everything else. */
  leave(): Promise<void>
}

/** News from other relays. It may be missing (behind a pooler, or while connecting), so poll as well. */
export interface EngineNews {
  /** Keys that have something due. */
  onDue(listener: (keyIds: ReadonlySet<number>) => void): () => void
  /** Events that were added, settled or changed. */
  onChange(listener: (ids: readonly number[]) => void): () => void
  onState(listener: (state: EngineState) => void): () => void
  /** Statements that the server answered with an error, though the connection works: why. */
  onRefused(listener: (reason: string) => void): () => void
}

/** As those of a spool, but a start may have been reported before. */
export interface FleetDeadlines extends Omit<Deadlines, 'begin'> {
  begin(start: Start & Partial<Pick<EarlierStart, 'agoMs'>>): Promise<Begun>
}

/** One relay's connection to the fleet. */
export interface Engine extends EngineDelivery, EngineListing, EngineMembership, EngineNews {
  /** The name under which this relay's events and leases are stored. */
  readonly origin: string
  /** Whether callers' own keys can be stored: only with PAGERDUTY_FLEET_SECRET. Otherwise such events stay in the local spool. */
  readonly keepsOwnKeys: boolean
  /**
   * Deployments of the whole fleet that must end in time. Outcomes end them when they are added, so look for those that are over
   * only while this relay has nothing left to forward. `counts` is as old as the last look.
   */
  readonly deadlines: FleetDeadlines
  /** What the last connection or statement showed. Down until the first connection is made. */
  state(): EngineState
  /**
   * Keeps all items or none, in their order per alert. Returns their ids in the same order once they are committed. At most
   * 256 items. It may be called again before it has resolved; a statement that takes long is given up after 10 s.
   */
  add(items: readonly FleetItem[]): Promise<readonly number[]>
  /** Closes the connections; leases stay until they run out, unless they were released before. */
  close(): Promise<void>
}
