/** What some tests need of a machine. CI sets every one of these to 1, so that nothing is skipped there unseen. */
export type Requirement = 'REQUIRE_ALERTMANAGER' | 'REQUIRE_MOUNT' | 'REQUIRE_SHELLS'

/** Why a test is skipped here; `false` where it runs, as it does with the requirement set, whatever is missing. */
export function skipUnless(isThere: boolean, reason: string, requirement: Requirement): string | false {
  return isThere || process.env[requirement] === '1' ? false : reason
}
