import type { RelayConfig } from '../config/load-relay.ts'
import { createMask, type Mask } from '../core/mask-event.ts'
import type { KeyLookUp } from '../rest/remember-key.ts'

/** The key of a relay that looks it up. Texts that arrived before may contain it, so it is masked wherever they are shown. */
export interface FoundKey {
  /** The configuration, whose mask covers the key as soon as it is known. */
  readonly config: RelayConfig
  /** Masks the key; returns the same value as long as it is not known. */
  readonly hide: Mask
  /** The same look-up, which also remembers the key. */
  readonly remembering: (lookUp: KeyLookUp) => KeyLookUp
}

/** Knows no key yet. */
export function createFoundKey(config: RelayConfig): FoundKey {
  let mask: Mask | undefined
  const hide: Mask = (value) => (mask === undefined ? value : mask(value))
  return {
    config: { ...config, mask: (value) => hide(config.mask(value)) },
    hide,
    remembering: (lookUp) => async () => {
      const found = await lookUp()
      mask ??= createMask([found.key])
      return found
    },
  }
}
