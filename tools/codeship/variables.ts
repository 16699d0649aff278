import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { basename } from 'node:path'
import { promisify } from 'node:util'

/** What Codeship Pro knows about a commit. */
export interface Commit {
  /** Name of the repository. */
  readonly repository: string
  /** The branch, or the name of a git tag. */
  readonly branch: string
  /** The whole commit id. */
  readonly id: string
  readonly message: string
  /** `git describe`. */
  readonly description: string
  readonly committerName: string
  readonly committerEmail: string
  readonly committerUsername: string
}

/** Made up, and the same for every build of a project. */
const PROJECT_ID = '7f0e6c9a-1b2c-4d3e-8f90-a1b2c3d4e5f6'

/**
 * The variables that a build on Codeship Pro has. Those of a pull request are as they were seen outside of one: `0` and
 * `false`, not blank.
 * Source: Codeship's documentation, "Environment variables".
 */
export function codeshipVariables(commit: Commit, approved: boolean): Record<string, string> {
  const now = new Date()
  return {
    CI: 'true',
    CI_NAME: 'codeship',
    CI_BRANCH: commit.branch,
    CI_BUILD_APPROVED: String(approved),
    CI_BUILD_ID: randomUUID(),
    CI_COMMIT_DESCRIPTION: commit.description,
    CI_COMMIT_ID: commit.id,
    CI_COMMIT_MESSAGE: commit.message,
    CI_COMMITTER_EMAIL: commit.committerEmail,
    CI_COMMITTER_NAME: commit.committerName,
    CI_COMMITTER_USERNAME: commit.committerUsername,
    CI_PR_NUMBER: '0',
    CI_PROJECT_ID: PROJECT_ID,
    CI_PULL_REQUEST: 'false',
    CI_REPO_NAME: commit.repository,
    CI_STRING_TIME: now.toISOString().replace(/\.\d+Z$/, '+00:00'),
    CI_TIMESTAMP: String(Math.floor(now.getTime() / 1000)),
  }
}

/** The commit that is checked out in a folder; a made-up one if the folder is not in a Git repository. */
export async function readCommit(folder: string): Promise<Commit> {
  const git = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)('git', ['-C', folder, ...args])).stdout.trim()
  try {
    const [top, branch, log, description] = await Promise.all([
      git('rev-parse', '--show-toplevel'),
      git('rev-parse', '--abbrev-ref', 'HEAD'),
      git('log', '-1', '--format=%H%x00%B%x00%cn%x00%ce'),
      git('describe', '--abbrev=1', '--tags', '--always'),
    ])
    const [id = '', message = '', committerName = '', committerEmail = ''] = log.split('\0')
    return {
      repository: basename(top),
      branch,
      id,
      message: message.trim(),
      description,
      committerName,
      committerEmail,
      committerUsername: committerEmail.replace(/@.*/, ''),
    }
  } catch {
    return MADE_UP
  }
}

const MADE_UP: Commit = {
  repository: 'shop',
  branch: 'master',
  id: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  message: 'Fix the checkout\n\nIt charged twice.',
  description: 'v1.4.2-3-g5f0c1d2',
  committerName: 'Jane Doe',
  committerEmail: 'jane@example.com',
  committerUsername: 'jane',
}
