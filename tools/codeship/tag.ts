import { RE2JS } from 're2js'

/** Which builds a step belongs to. */
export interface TagFilter {
  /** A name or a pattern, or several, one of which must match. */
  readonly tag?: string | readonly string[]
  readonly exclude?: string | readonly string[]
}

/**
 * Why a build skips a step, in words; undefined if it runs. `exclude` wins over `tag`.
 * @param buildTag the branch of the build or its git tag
 */
export function whyLeftOut({ tag, exclude }: TagFilter, buildTag: string): string | undefined {
  const [only, never] = [tag, exclude].map((patterns) =>
    patterns === undefined ? undefined : [patterns].flat(),
  )
  const excluding = never?.find((pattern) => matchesTag(pattern, buildTag))
  if (excluding !== undefined) return `it excludes ${excluding}`
  if (only !== undefined && !only.some((pattern) => matchesTag(pattern, buildTag))) {
    return `it is for ${only.join(' or ')}`
  }
  return undefined
}

/**
 * Whether a build's tag matches: it is the pattern itself; or the pattern has an anchor, `^` or `$`, and is found in it as
 * a regular expression. Those are Go's (RE2). One that RE2 cannot read never matches (release note of jet 0.9.5).
 */
export function matchesTag(pattern: string, buildTag: string): boolean {
  if (pattern === buildTag) return true
  if (!/[$^]/.test(pattern)) return false
  try {
    return RE2JS.compile(pattern).matcher(buildTag).find()
  } catch {
    return false
  }
}
