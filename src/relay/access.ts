import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { RelayAccess } from '../config/relay.ts'
import type { Secret } from '../core/secret.ts'
import { digest, isSameSecret } from './same-secret.ts'

/** What a caller may do: everything, or only read. */
export type Scope = 'act' | 'view'

/** Who may do what. */
export interface Access {
  /** What the `Authorization` header allows; everything if the relay requires no token. */
  byToken(headers: IncomingHttpHeaders): Scope | undefined
  /** What the cookie of somebody who is logged in allows. */
  bySession(headers: IncomingHttpHeaders): Scope | undefined
  /** The cookie's value for a token that somebody typed; undefined if the token is wrong. */
  logIn(token: string): string | undefined
}

/** How long somebody stays logged in, in seconds: a shift. */
export const SESSION_SECONDS = 43_200
export const SESSION_COOKIE = 'pagerduty_alert_ui'

/** @param now milliseconds since 1970 */
export function createAccess(
  { token, viewToken }: Pick<RelayAccess, 'token' | 'viewToken'>,
  now: () => number,
): Access {
  const credentials = [
    ...(token === undefined ? [] : [{ scope: 'act' as const, token, isPresented: createTokenCheck(token) }]),
    ...(viewToken === undefined
      ? []
      : [{ scope: 'view' as const, token: viewToken, isPresented: createTokenCheck(viewToken) }]),
  ]
  const byToken = (headers: IncomingHttpHeaders): Scope | undefined =>
    token === undefined
      ? 'act'
      : credentials.find(({ isPresented }) => isPresented(headers.authorization))?.scope
  return {
    byToken,
    bySession: ({ cookie }) => {
      const value = SESSION.exec(cookie ?? '')?.[1]
      const [expiry = '', scope = '', signature = ''] = value?.split('.') ?? []
      if (!(Number(expiry) * 1000 > now())) return undefined
      const credential = credentials.find((each) => each.scope === scope)
      return credential !== undefined && isSameSecret(signature, sign(credential.token, `${expiry}.${scope}`))
        ? credential.scope
        : undefined
    },
    logIn: (text) => {
      const credential = credentials.find(({ isPresented }) => isPresented(`Bearer ${text}`))
      if (credential === undefined) return undefined
      const claim = `${Math.floor(now() / 1000) + SESSION_SECONDS}.${credential.scope}`
      return `${claim}.${sign(credential.token, claim)}`
    },
  }
}

const SESSION = new RegExp(`(?:^|;\\s*)${SESSION_COOKIE}=([\\w.-]+)`)

/** Ends with the token: no state, and every relay that has the token knows it. */
function sign(token: Secret, claim: string): string {
  return createHmac('sha256', token.reveal()).update(`pagerduty-alert page ${claim}`).digest('base64url')
}

/** A check of `Authorization: Bearer …` that takes the same time whatever is presented, as `isSameSecret` does. */
export function createTokenCheck(token: Secret): (header: string | undefined) => boolean {
  const expected = digest(token.reveal())
  return (header = '') => {
    const presented = /^bearer +(\S+) *$/i.exec(header)?.[1]
    return timingSafeEqual(digest(presented ?? ''), expected) && presented !== undefined
  }
}
