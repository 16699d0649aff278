import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Run, RunOptions } from './program.ts'

/** The script that does without Node. */
export const SCRIPT = fileURLToPath(new URL('../../pagerduty.sh', import.meta.url))

/** The shells that it has to run under: Codeship Basic's, Debian's and Alpine's `sh`. */
export const SHELLS = {
  bash: ['bash'],
  dash: ['dash'],
  busybox: ['busybox', 'sh'],
} as const satisfies Record<string, readonly [string, ...string[]]>

export type Shell = keyof typeof SHELLS

/** Runs the script to its end under one shell. Of this process's environment it gets the `PATH` alone. */
export async function runScript(
  shell: Shell,
  args: readonly string[],
  { env = {}, stdin = '' }: RunOptions = {},
): Promise<Run> {
  const [command, ...applet] = SHELLS[shell]
  return await runProcess([command, ...applet, SCRIPT, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdin,
  })
}

/** Runs any command to its end; the environment is the whole one. */
export async function runProcess(
  [command = '', ...args]: readonly string[],
  { env = {}, stdin = '', cwd }: RunOptions & { readonly cwd?: string } = {},
): Promise<Run> {
  const startedAt = performance.now()
  const child = spawn(command, args, { env: { ...env }, cwd })
  child.stdin.on('error', () => undefined) // the command may end without reading it
  child.stdin.end(stdin)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return await new Promise<Run>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr, durationMs: performance.now() - startedAt })
    })
  })
}
