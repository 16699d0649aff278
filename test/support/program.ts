import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The program as it is shipped. `npm test` builds it first. */
export const BIN = fileURLToPath(new URL('../../dist/bin.js', import.meta.url))

/** A routing key that is nobody's. */
export const KEY = '0123456789abcdef0123456789abcdef'

/** What one run of the program did. */
export interface Run {
  /** Exit status, or null if a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
}

export interface RunOptions {
  /** The whole environment; nothing is inherited, so that the machine's own CI variables do not matter. */
  readonly env?: Readonly<Record<string, string>>
  /** The content of stdin. Default: empty. */
  readonly stdin?: string
  /** Leaves stdin open, so that a reader waits. */
  readonly isStdinOpen?: boolean
  /** Where it runs; here if absent. */
  readonly cwd?: string
  /** The user it runs as, if root runs the test. */
  readonly uid?: number
  /** How many files it may have open. Default: as many as this process. */
  readonly maxFiles?: number
}

/** Starts the program as a process of its own. */
export function startProgram(
  args: readonly string[],
  { env = {}, stdin = '', isStdinOpen = false, cwd, uid, maxFiles }: RunOptions = {},
): Program {
  const startedAt = performance.now()
  const limit = maxFiles === undefined ? [] : ['/bin/sh', '-c', `ulimit -n ${maxFiles}; exec "$@"`, 'sh']
  const [file = '', ...argv] = [...limit, process.execPath, BIN, ...args]
  const child = spawn(file, argv, {
    env: { ...env },
    cwd,
    ...(uid !== undefined && { uid, gid: uid }),
  })
  child.stdin.on('error', () => undefined) // the program may end without reading it
  if (!isStdinOpen) child.stdin.end(stdin)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<Run>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr, durationMs: performance.now() - startedAt })
    })
  })
  return { child, ended }
}

export interface Program {
  readonly child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Run>
}

/** Runs the program to its end. */
export async function runProgram(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return await startProgram(args, options).ended
}

/** The variables of a build on Codeship Pro, as its steps see them. */
export const CODESHIP_PRO: Readonly<Record<string, string>> = {
  CI: 'true',
  CI_NAME: 'codeship',
  CI_BRANCH: 'master',
  CI_BUILD_ID: '2c8f9f4a-5b7e-4d7e-9a3e-0b7c1d2e3f40',
  CI_PROJECT_ID: '7f0e6c9a-1b2c-4d3e-8f90-a1b2c3d4e5f6',
  CI_COMMIT_ID: '5f0c1d2e3a4b5c6d7e8f90a1b2c3d4e5f6a7b8c9',
  CI_COMMIT_MESSAGE: 'Fix the checkout\n\nIt charged twice.',
  CI_COMMIT_DESCRIPTION: 'v1.4.2-3-g5f0c1d2',
  CI_COMMITTER_NAME: 'Jane Doe',
  CI_COMMITTER_EMAIL: 'jane@example.com',
  CI_COMMITTER_USERNAME: 'jane',
  CI_REPO_NAME: 'acme/shop',
  CI_TIMESTAMP: '1772366400',
  CI_STRING_TIME: '2026-03-01T12:00:00+00:00',
  CI_BUILD_APPROVED: 'false',
  CI_PR_NUMBER: '0',
  CI_PULL_REQUEST: 'false',
}
