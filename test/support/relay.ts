import { createHash } from 'node:crypto'
import { startProgram, type Program, type Run, type RunOptions } from './program.ts'

/** A relay that runs as a process of its own. */
export interface RunningRelay {
  /** Without a slash at its end. */
  readonly url: string
  readonly program: Program
  /** What it has written to stderr so far. */
  readonly log: () => string
  /** Ends it by a signal. Default: SIGTERM. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<Run>
}

/** A relay that is being started. */
export interface LaunchedRelay {
  readonly program: Program
  /** Its address, once it listens. Rejects if it ends before that. */
  readonly url: Promise<string>
}

/** Starts the built program's `serve` on a free port. */
export function launchRelay(
  env: Readonly<Record<string, string>>,
  options: Pick<RunOptions, 'uid' | 'maxFiles'> = {},
): LaunchedRelay {
  const program = startProgram(['serve'], { ...options, env: { PAGERDUTY_RELAY_PORT: '0', ...env } })
  const url = new Promise<string>((resolve, reject) => {
    program.child.stdout.once('data', (text: string) => resolve(text.trim()))
    void program.ended.then(({ code, stderr }) => reject(new Error(`ended with ${code}: ${stderr}`)))
  })
  return { program, url }
}

/** Starts the built program's `serve` on a free port, and waits until it listens. */
export async function startRelay(
  env: Readonly<Record<string, string>>,
  options: Pick<RunOptions, 'uid' | 'maxFiles'> = {},
): Promise<RunningRelay> {
  const { program, url } = launchRelay(env, options)
  let log = ''
  program.child.stderr.on('data', (text: string) => (log += text))
  return {
    url: await url,
    program,
    log: () => log,
    stop: async (signal = 'SIGTERM') => {
      program.child.kill(signal)
      return await program.ended
    },
  }
}

/** A routing key that is well-formed and nobody's, another for each name. */
export function keyFor(name: string): string {
  return createHash('md5').update(name).digest('hex')
}

/** An alert event of a client that needs no more than this. */
export function alertBody(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const payload = { summary: 'Disk is full', source: 'db-1', severity: 'critical' }
  return { event_action: 'trigger', payload, ...more }
}

/** Posts JSON, or text as it is. */
export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}
