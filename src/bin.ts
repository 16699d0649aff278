import { writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { isatty } from 'node:tty'
import { main } from './main.ts'
import { describeBug } from './cli/report.ts'
import { EXIT_CODE } from './core/failure.ts'
import { readFile, readText } from './read-file.ts'

/*
 * The only file that touches the process: arguments, environment, standard streams, signals and exit status.
 */

/** Exit status of a process that a signal ended, as shells count: 128 and the signal's number. */
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

const interruption = new AbortController()
let signalListener: ((signal: NodeJS.Signals) => void) | undefined
for (const [signal, exitCode] of Object.entries(SIGNALS)) {
  process.on(signal, (name: NodeJS.Signals) => {
    if (signalListener !== undefined) return signalListener(name)
    if (interruption.signal.aborted) exit(exitCode) // the second signal ends it at once
    interruption.abort(exitCode)
  })
}

/** The text of files that were read, by path: a bug report must not show it, and a pipe cannot be read twice. */
const filesRead = new Map<string, string>()

/** Warnings from Node that users cannot act on, or that are wrong here. */
const NOT_SHOWN = [
  /^SQLite is an experimental feature/, // Node 22 and early 24, whenever the spool is opened
  /^Setting the NODE_TLS_REJECT_UNAUTHORIZED /, // certificates are verified anyway
]
const warningPrinters = process.listeners('warning')
process.removeAllListeners('warning')
process.on('warning', (warning) => {
  if (NOT_SHOWN.some((pattern) => pattern.test(warning.message))) return
  for (const print of warningPrinters) print(warning)
})

process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
  // Node itself prints (NODE_DEBUG) to a reader that has gone; all other sockets have an error listener.
  if (error.code === 'EPIPE' && error.syscall === 'write') return
  write('stderr', `pagerduty-alert: error: ${describeBug(error, { env: process.env, recall })}\n`)
  exit(EXIT_CODE.internal)
})

const DESCRIPTOR = { stdout: 1, stderr: 2 } as const

/** How many bytes an empty pipe accepts at once on every system. */
const LEAST_PIPE_BYTES = 4096

/** How long to wait at the end for a reader that has stopped reading. */
const LAST_WORDS_MS = 1000

/** Which of Node's streams were written to. */
const written = new Set<keyof typeof DESCRIPTOR>()

void main({
  argv: process.argv.slice(2),
  env: process.env,
  get hostname() {
    return hostname()
  },
  readFile: readAndRemember,
  recall,
  readStdin,
  get isStdinTerminal() {
    return isatty(0)
  },
  writeOut: (text) => write('stdout', text),
  writeErr: (text) => write('stderr', text),
  signal: interruption.signal,
  takeSignals: (listener, further = []) => {
    signalListener = listener
    for (const signal of further) process.on(signal, listener)
  },
  kill: (target, signal) => process.kill(target, signal),
  startedAtMs: 0, // `performance.now()` counts from the start of the process
}).then(end)

/**
 * Ends the process as soon as its output is written, even if the event loop is still waiting for something. A command that
 * handles signals can no longer be ended by one, so it does not wait forever for a reader that does not read.
 */
async function end(status: number): Promise<void> {
  const flushed = Promise.all(
    [...written].map((name) => new Promise((resolve) => process[name].write('', resolve))),
  )
  await (signalListener === undefined ? flushed : Promise.race([flushed, sleep(LAST_WORDS_MS)]))
  exit(status)
}

/** Work that runs in another thread and may take long: a DNS lookup, or a write to a reader that does not read. */
const THREAD_WORK = ['GetAddrInfoReqWrap', 'FSReqCallback']

/**
 * Exits at once. Work in another thread cannot be cancelled, and `process.exit` waits for it: 10 s for a lookup if no name
 * server answers, and forever for a full pipe. So if there is such work, the process replaces itself by a new one that only
 * exits.
 */
function exit(status: number): never {
  const active = process.getActiveResourcesInfo()
  if (THREAD_WORK.some((work) => active.includes(work))) {
    const args = [process.execPath, '--disable-sigusr1', '--eval', `process.exit(${status})`]
    process.execve?.(process.execPath, args, { ...process.env, NODE_OPTIONS: '' })
  }
  process.exit(status)
}

/**
 * Writes to stdout or stderr at once, as other programs do. Node's own stream takes 4 ms to load and makes a pipe non-blocking
 * for every process that shares it. It is used only when we handle signals, or when the text is too long to write without
 * blocking.
 */
function write(name: keyof typeof DESCRIPTOR, text: string): void {
  const bytes = Buffer.from(text)
  const isShort = bytes.length <= LEAST_PIPE_BYTES
  const isWaitedFor = isShort && signalListener === undefined && !written.has(name)
  const rest = isWaitedFor ? writeAtOnce(name, bytes) : bytes
  if (rest.length === 0) return
  const stream = process[name]
  written.add(name)
  if (stream.listenerCount('error') === 0) stream.on('error', (error) => warnOfLoss(name, error))
  stream.write(rest)
}

/** @returns the bytes that did not fit, if another process made the pipe non-blocking */
function writeAtOnce(name: keyof typeof DESCRIPTOR, bytes: Buffer): Buffer {
  let rest = bytes
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(DESCRIPTOR[name], rest))
    return rest
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return rest
    warnOfLoss(name, error as NodeJS.ErrnoException)
    return Buffer.alloc(0)
  }
}

/**
 * Warns that stdout did not take what was written, for example because the disk is full. The exit status stays: the events
 * have been sent. A reader that is gone (`| head -1`) and a closed stdout (`>&-`) cause no warning.
 */
function warnOfLoss(name: keyof typeof DESCRIPTOR, { code = '' }: NodeJS.ErrnoException): void {
  if (name === 'stderr' || code === 'EPIPE' || code === 'EBADF') return
  write('stderr', `pagerduty-alert: warning: cannot write to stdout (${code}), so some output is missing\n`)
}

async function readAndRemember(path: string, signal = interruption.signal): Promise<string> {
  const text = await readFile(path, signal)
  filesRead.set(path, text)
  return text
}

function recall(path: string): string {
  const text = filesRead.get(path)
  if (text === undefined) throw new Error('this file was not read')
  return text
}

async function readStdin(): Promise<string> {
  const stop = (): void => void process.stdin.destroy(new Error('interrupted'))
  interruption.signal.addEventListener('abort', stop, { once: true })
  return await readText(process.stdin)
}
