import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import type { FleetConfig } from '../config/fleet.ts'
import { createSecret, type Secret } from '../core/secret.ts'
import type { SpoolKey } from '../spool/spool.ts'

/** Hides what relays store from people who can read the database, and from its backups. */
export interface Seal {
  /** Tells two secrets apart without giving either away; null if nothing is encrypted. */
  readonly mark: Buffer | null
  /** The mark of the secret that only opens; null if there is none. */
  readonly otherMark: Buffer | null
  /** @param place where the text belongs; put elsewhere, it cannot be read */
  close(text: string, place: string): Buffer
  /** Undefined if the text was altered, moved, or encrypted with another secret. */
  open(sealed: Buffer, place: string): string | undefined
  /** Tells two keys apart, for those who have the secret; null without a secret, since anybody could then guess keys. */
  markKey(key: Secret): Buffer | null
  /** The name and the encrypted secret of a key, as they are stored. */
  closeKey(key: SpoolKey): { readonly name: string; readonly secret: Buffer | null }
  /** A key that cannot be opened is one that nobody has configured. */
  openKey(name: string, secret: Buffer | null): SpoolKey
}

const PLAIN = 0
/** AES-256-GCM under a key of its own for each text, so that random nonces cannot repeat however many texts there are. */
const ENCRYPTED = 1
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + SALT_BYTES + NONCE_BYTES
const KEY_MARK_BYTES = 16

/** Names of callers' keys begin with this; a configured key's name has no colon (`core/routing-key.ts`). */
const OWN_PREFIX = 'own:'

/** Secrets of a fleet. Without the first, texts are stored as they are, and callers' own keys cannot be stored. */
export type SealSecrets = Pick<FleetConfig, 'secret' | 'otherSecret'>

/** The first secret closes, and both open. */
export function createSeal({ secret, otherSecret }: SealSecrets): Seal {
  const keys = secret === undefined ? undefined : deriveKeys(secret)
  const other = otherSecret === undefined ? undefined : deriveKeys(otherSecret)
  const close = (text: string, place: string): Buffer =>
    keys === undefined
      ? Buffer.concat([Buffer.of(PLAIN), Buffer.from(text)])
      : encrypt(keys.text, text, place)
  const open = (sealed: Buffer, place: string): string | undefined => {
    if (sealed[0] === PLAIN) return sealed.toString('utf8', 1)
    if (keys === undefined || sealed[0] !== ENCRYPTED) return undefined
    return decrypt(keys.text, sealed, place) ?? (other && decrypt(other.text, sealed, place))
  }
  return {
    mark: keys?.mark ?? null,
    otherMark: other?.mark ?? null,
    close,
    open,
    markKey: (key) =>
      keys === undefined
        ? null
        : createHmac('sha256', keys.comparison).update(key.reveal()).digest().subarray(0, KEY_MARK_BYTES),
    closeKey: (key) => {
      if (key.kind === 'configured') return { name: key.name, secret: null }
      if (keys === undefined) throw new Error('a caller’s own key is stored only encrypted')
      const name = OWN_PREFIX + createHmac('sha256', keys.name).update(key.key.reveal()).digest('hex')
      return { name, secret: close(key.key.reveal(), name) }
    },
    openKey: (name, sealed) => {
      const opened = sealed === null ? undefined : open(sealed, name)
      return opened === undefined ? { kind: 'configured', name } : { kind: 'own', key: createSecret(opened) }
    },
  }
}

function deriveKeys(secret: Secret): Record<'text' | 'name' | 'comparison' | 'mark', Buffer> {
  const derive = (use: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret.reveal(), '', `pagerduty-alert fleet ${use}`, bytes))
  return {
    text: derive('text', 32),
    name: derive('name', 32),
    comparison: derive('comparison', 32),
    mark: derive('mark', 16),
  }
}

function encrypt(key: Buffer, text: string, place: string): Buffer {
  const head = Buffer.concat([Buffer.of(ENCRYPTED), randomBytes(SALT_BYTES + NONCE_BYTES)])
  const cipher = createCipheriv('aes-256-gcm', textKey(key, head), nonceOf(head))
  cipher.setAAD(Buffer.from(place))
  return Buffer.concat([head, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: Buffer, sealed: Buffer, place: string): string | undefined {
  if (sealed.length < HEAD_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', textKey(key, sealed), nonceOf(sealed))
  decipher.setAAD(Buffer.from(place))
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  const text = decipher.update(sealed.subarray(HEAD_BYTES, -TAG_BYTES))
  try {
    return Buffer.concat([text, decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

function textKey(key: Buffer, head: Buffer): Buffer {
  return createHmac('sha256', key)
    .update(head.subarray(1, 1 + SALT_BYTES))
    .digest()
}

function nonceOf(head: Buffer): Buffer {
  return head.subarray(1 + SALT_BYTES, HEAD_BYTES)
}
