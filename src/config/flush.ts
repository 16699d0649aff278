import { inGroup, valuesOf, type Reader } from './setting.ts'

/** What `flush` waits for. */
export const FLUSH_SETTINGS = inGroup('flush', {
  flushAll: {
    option: 'all',
    help: 'wait for the events of every relay of the fleet, not only for those that this one accepted',
  },
})

/** What `flush` waits for. */
export interface FlushConfig {
  /** Events of the whole fleet. Makes no difference without one. */
  readonly all: boolean
}

/** Reads what `flush` waits for. */
export function readFlushConfig(reader: Reader<keyof typeof FLUSH_SETTINGS>): FlushConfig {
  return { all: valuesOf(reader, FLUSH_SETTINGS)('flushAll') }
}
