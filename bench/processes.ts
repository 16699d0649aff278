import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The built program. */
export const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url))

/** A file of the benchmark, to be run by Node. */
export const script = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** How a server is started. */
export interface ServerOptions {
  /** The program to start. Default: Node. */
  readonly program?: string
  readonly args: readonly string[]
  /** Its whole environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Ends it, at once. */
  readonly signal: AbortSignal
}

/** A server in a separate process, so that what is measured never waits for this one. */
export interface Server {
  readonly child: ChildProcess
  /** The first line that it printed: where it listens. */
  readonly line: string
}

const READY_MS = 20_000

/** Starts a server. @throws when it ends, or says nothing for 20 s */
export async function startServer(options: ServerOptions): Promise<Server> {
  const child = run(options)
  const line = await within(
    READY_MS,
    new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8').trim()))
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`${options.args.join(' ')} ended with ${code}`)))
    }),
  )
  return { child, line }
}

/** How a script is run. */
export interface ScriptOptions {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Its whole environment. Default: empty. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Runs a script of the benchmark and reads the JSON that it prints.
 * @throws when it fails, or takes longer than `timeoutMs`
 */
export async function readScript(
  file: string,
  args: readonly string[],
  { timeoutMs, signal, env = {} }: ScriptOptions,
): Promise<unknown> {
  const bound = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const child = run({ args: [script(file), ...args], env, signal: bound })
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0)
    throw new Error(bound.aborted ? `${file} took more than ${timeoutMs} ms` : `${file} ended with ${code}`)
  return JSON.parse(text) as unknown
}

function run({ program = process.execPath, args, env = {}, signal }: ServerOptions): ChildProcess {
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
    killSignal: 'SIGKILL',
  })
  child.on('error', () => undefined) // that it was ended by the signal; `exit` follows
  return child
}

/** A promise's value. @throws when that takes longer */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`took more than ${Math.round(timeoutMs / 1000)} s`)), timeoutMs)
  })
  return await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
