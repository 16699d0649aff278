import type { RestSeed } from '../../tools/simulator/rest-state.ts'
import { CODESHIP_PRO, KEY, runProgram, type Run } from './program.ts'

/** A REST API token that is nobody's. */
export const REST_TOKEN = 'u+abcdefghijklmnopqr'

/** A service whose Events API v2 integration has `KEY`. */
export const SHOP = { id: 'PSHOP', name: 'Shop', integrations: [{ id: 'PINT', key: KEY }] }

/** An account with that service, in which `REST_TOKEN` is a user's. */
export function accountWith(seed: RestSeed = {}): RestSeed {
  return { tokens: [{ token: REST_TOKEN, kind: 'user' }], services: [SHOP], ...seed }
}

/** A time that long ago, as PagerDuty writes it: in whole seconds. */
export function ago(durationMs: number): string {
  return new Date(Date.now() - durationMs).toISOString().replace(/\.\d+Z/, 'Z')
}

/** Runs the program with that token for that service, and makes sure that neither token nor key shows. */
export async function runWithRest(
  url: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  stdin = '',
): Promise<Run> {
  const rest = {
    PAGERDUTY_TOKEN: REST_TOKEN,
    PAGERDUTY_EVENTS_URL: url,
    PAGERDUTY_API_URL: url,
    PAGERDUTY_SERVICE_ID: 'PSHOP',
  }
  const result = await runProgram(args, { env: { ...CODESHIP_PRO, ...rest, ...env }, stdin })
  for (const secret of [REST_TOKEN, KEY]) {
    if (`${result.stdout}${result.stderr}`.includes(secret)) throw new Error('a secret shows')
  }
  return result
}
