import type { DeploymentOutcome } from './deployment-state.ts'

/** What a CI says about a job: how it ended, or that it did not run, so there is nothing to report. */
export interface JobStatus {
  readonly outcome: DeploymentOutcome | 'skipped'
  /** The number, if it was given as one (`$?`). */
  readonly exitCode?: number
  /** False for a word that is in no table: it counts as a failure, since silence would hide one. */
  readonly isKnown: boolean
}

/**
 * The words that CIs use for how a job ended, in lower case and without what separates them, so that `timed_out`,
 * `TimedOut` and `timed-out` are one.
 *
 * GitHub Actions (`job.status`, conclusions), GitLab (`CI_JOB_STATUS`), Jenkins (`currentBuild.result`), Azure Pipelines
 * (`Agent.JobStatus`, task results), CircleCI, Buildkite, Bitbucket, Drone and Woodpecker, AWS CodeBuild and CodePipeline,
 * TeamCity, Travis, AppVeyor, Codeship's API and webhooks.
 */
export const JOB_STATUS_WORDS: Readonly<Record<JobStatus['outcome'], readonly string[]>> = {
  success: [
    'success',
    'succeeded',
    'successful',
    'passed',
    'pass',
    'ok',
    'true',
    'fixed',
    'stable',
    'neutral',
    // The job did its work; what it warns of is not that the deployment failed.
    'succeededwithissues',
    'partiallysucceeded',
    'warning',
  ],
  failure: [
    'failure',
    'failed',
    'fail',
    'false',
    'error',
    'errored',
    'broken',
    'stillfailing',
    'unstable',
    'fault',
    'faulted',
    'timedout',
    'timeout',
    'startupfailure',
    'infrastructurefailure',
    'infrastructurefail',
    'systemfailure',
    // The agent was lost, so nobody knows how far the deployment came.
    'abandoned',
  ],
  cancelled: [
    'cancelled',
    'canceled',
    'cancelling',
    'canceling',
    'aborted',
    'stopped',
    'stopping',
    // Drone's and Woodpecker's word for a build that somebody stopped.
    'killed',
    'interrupted',
    'superseded',
  ],
  skipped: ['skipped', 'notbuilt', 'notrun', 'notexecuted', 'neverbuilt', 'ignored', 'declined'],
}

const OUTCOME_OF = new Map(
  Object.entries(JOB_STATUS_WORDS).flatMap(([outcome, words]) =>
    words.map((word) => [word, outcome as JobStatus['outcome']] as const),
  ),
)

/**
 * Reads what a CI says about a job: a word, or an exit status such as `$?`. Any number but 0 is a failure: Windows has
 * statuses over 255 and below 0, and -1 is what some runners give if a process could not be started.
 */
export function parseJobStatus(text: string): JobStatus {
  const trimmed = text.trim()
  if (/^-?\d{1,10}$/.test(trimmed)) {
    const exitCode = Number(trimmed)
    return exitCode === 0
      ? { outcome: 'success', exitCode: 0, isKnown: true }
      : { outcome: 'failure', exitCode, isKnown: true }
  }
  const outcome = OUTCOME_OF.get(trimmed.toLowerCase().replaceAll(/[\s_-]/g, ''))
  return outcome === undefined ? { outcome: 'failure', isKnown: false } : { outcome, isKnown: true }
}
