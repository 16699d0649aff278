/** How long a moment may last: usually the first is enough, and a busy machine may need the last. */
const MOMENTS_MS = [1000, 5000, 25_000]

/**
 * Tries what only works if the machine does its part within a short time. If that fails, tries it again with a longer
 * one: what is wrong fails each time.
 * @throws what the last attempt has thrown
 */
export async function withMoreTime(attempt: (momentMs: number) => Promise<void>): Promise<void> {
  for (const [index, momentMs] of MOMENTS_MS.entries()) {
    try {
      return await attempt(momentMs)
    } catch (error) {
      if (index === MOMENTS_MS.length - 1) throw error
    }
  }
}
