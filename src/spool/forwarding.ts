import type { EarlierStart } from './deadlines.ts'
import type { DueEvent, SpoolKey } from './spool.ts'

/** An event of a spool that another queue may get. */
export interface ForwardedEvent extends DueEvent {
  readonly key: SpoolKey
}

/** A deadline that another queue may get. */
export interface ForwardedDeadline {
  readonly start: EarlierStart
  /** The row that it was read from: a later sign of life replaces it. */
  readonly row: { readonly dedupKey: string; readonly build: string; readonly dueAt: number }
}

/** What another queue has to be told about an event that it did not deliver. */
export interface Untold {
  /** The event's id here. */
  readonly id: number
  readonly text: string
}

/** What a process needs that moves a spool's events to another queue. */
export interface Forwarding {
  /**
   * Reserves ids for events that may have to be added later (`Spool.add`). Returns the first, or undefined if the disk does not
   * work.
   * @param least the first is at least this one, even if the directory's files were replaced by older ones
   * @param skip how many ids are left out before the first; default: none
   */
  reserveIds(count: number, least: number, skip?: number): Promise<number | undefined>
  /**
   * The pending events that were accepted first, due or not, in their order. Throws a `Failure` if the disk fails.
   * @param keys `configured` leaves out events with callers' own keys
   */
  oldest(limit: number, keys: 'configured' | 'all'): ForwardedEvent[]
  /**
   * For each event the number of the deployment that it was recorded with, whether or not it is still pending: a success and the
   * resolve that came with it have the same. Undefined if there is none. Throws as `oldest` does.
   */
  deploymentsOf(ids: readonly number[]): (number | undefined)[]
  /** The events of a deployment, by that number; the latest 50. Throws as `oldest` does. */
  eventsOfDeployment(deployment: number): number[]
  /** Some deadlines, those that are over first. Throws as `oldest` does. */
  deadlines(limit: number): ForwardedDeadline[]
  /** Removes a deadline that another queue has now, unless it was replaced. Returns why that failed, if it did. */
  removeDeadline(row: ForwardedDeadline['row']): Promise<string | undefined>
  /** Removes pending events that another queue has now, as if they had never been here. Returns why that failed, if it did. */
  remove(ids: readonly number[]): Promise<string | undefined>
  /** What is still to be told, by an earlier process too, in the order of the events; nothing if the spool cannot be read. */
  untold(limit: number): Untold[]
  /** Remembers what is to be told. If the disk does not work, only this process knows it. */
  keepUntold(untold: Untold): Promise<void>
  /** Forgets what was told. */
  forgetUntold(ids: readonly number[]): Promise<void>
}
