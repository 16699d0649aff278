/**
 * What the CI says about the current build. Every field is a non-blank string or absent: placeholders such as `0`, `false`,
 * `undefined` and `null` never get past the readers.
 */
export interface Build {
  /** The CI's name as people write it: `Codeship`, `GitHub Actions`. Absent outside any CI. */
  readonly ci?: string
  /** `owner/name` if the CI knows the owner, else the name. */
  readonly repository?: string
  /** Branch (a pull request's own), or the tag's name on a tag build. */
  readonly branch?: string
  /** The tag's name on a tag build, if the CI distinguishes tags from branches. */
  readonly tag?: string
  /** The whole commit id. */
  readonly commit?: string
  /** The whole commit message, newlines included. */
  readonly commitMessage?: string
  /** `git describe` of the commit (Codeship Pro). */
  readonly commitDescription?: string
  /** Who committed: the name if there is one, else the login, else the e-mail address. */
  readonly committer?: string
  readonly buildId?: string
  readonly projectId?: string
  /** The pull request's number, without `#`. */
  readonly pullRequest?: string
  readonly pullRequestUrl?: string
  /** True on a build that somebody approved by hand (Codeship Pro); absent otherwise. */
  readonly approved?: true
  /** The page of this build or run. */
  readonly buildUrl?: string
  /** The page of the job within it, if that is a different page. */
  readonly jobUrl?: string
  /** The repository's web page, without a trailing slash or `.git`. */
  readonly repositoryUrl?: string
  /** The page of the commit. */
  readonly commitUrl?: string
  /** What this build's changes are counted from: the commit that was built before, or the last tag. */
  readonly base?: string
  /** The page that shows the changes since `base`. */
  readonly compareUrl?: string
  /** The job's name, if a build of the CI can have several. */
  readonly job?: string
  /** This job among several of one step that run side by side, if the CI tells them apart: `deploy 1/2`. */
  readonly leg?: string
  /** The deployment environment, if the CI has that notion. */
  readonly environment?: string
  /** Which variable each field came from, for `--dry-run` to explain: `{ branch: 'CI_BRANCH' }`. */
  readonly origins: Readonly<Partial<Record<BuildField, string>>>
}

/** The fields of a build that carry a value. */
export type BuildField = Exclude<keyof Build, 'origins'>

/** An environment as `process.env` gives it. */
export type Environment = Readonly<Record<string, string | undefined>>
