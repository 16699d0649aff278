import { ChildProcess, spawn, type SpawnOptions, type StdioOptions } from 'node:child_process'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { copyOutput } from './copy-output.ts'
import { hasTerminal, inheritedFds, isInForeground } from './terminal.ts'
import { openOutputPipes, type OutputPipes } from './output-pipes.ts'
import { ownGroup, sharedGroup, type Kill, type ProcessGroup } from './process-group.ts'
import type { Tail } from './output-tail.ts'
import { whyNotStarted } from './why-not-started.ts'
import { signalName, watchWaitStatus } from './wait-status.ts'

/** How a command ended, with the exit status that a shell gives for it. */
export type Ending =
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** By a signal; the exit status is 128 and its number. */
  | { readonly kind: 'killed'; readonly exitCode: number; readonly signal: string }
  /** It could not be started: 126 or 127. */
  | { readonly kind: 'not started'; readonly exitCode: number; readonly reason: string }

/** A running command. */
export interface Supervised {
  /** Resolves when the command has ended, whatever it has left behind; what it printed is in the tail. */
  readonly ended: Promise<Ending>
  /**
   * Resolves when its output has been passed on, or as much as comes within 2 s of its end; with the stream of ours that did
   * not accept everything, and why, such as `stdout (ENOSPC)`.
   */
  readonly passedOn: Promise<string | undefined>
  /**
   * Passes a signal on to the command and its process group.
   * @returns false if they already have it, from the terminal that they share with us
   */
  readonly forward: (signal: NodeJS.Signals) => boolean
  /** Ends the rest of the command's process group, after giving it a moment to exit on its own. */
  readonly sweep: () => Promise<void>
  /** Stops passing on the output of children that outlive the command. */
  readonly close: () => void
}

export interface SuperviseOptions {
  /** The program and its arguments. */
  readonly argv: readonly [string, ...string[]]
  /** Keeps what is printed; absent: the command has our streams, and the terminal, itself. */
  readonly tail: Tail | undefined
  /** Called whenever the command prints something. */
  readonly onOutput: () => void
  readonly kill: Kill
  /** Its environment; absent: ours. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** Signals that ask a process to end. */
export const ENDING_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'])
/** Signals that reach the whole foreground: from the terminal, or SIGCONT from the shell's `fg`. */
const TERMINAL_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGINT',
  'SIGQUIT',
  'SIGHUP',
  'SIGWINCH',
  'SIGCONT',
])

/**
 * How long after a command has failed our own copy of a signal from the terminal may still arrive. The terminal signals both of
 * us, and on a busy machine the end of the command is sometimes seen first: it would be reported as a failure.
 */
const TERMINAL_LAG_MS = 300

/** When to prepare for reading the command's wait status: not while it is being started. */
const PREPARE_MS = 50

/** How long the rest of a process group has to end after a signal before it is killed, and then to disappear. */
const SWEEP_MS = 1000
const KILL_MS = 500
const SWEEP_STEP_MS = 25

/**
 * Starts a command with everything that it would have without us: stdin, environment, working directory, other open
 * descriptors, terminal. Its output is passed on live. It leads a process group of its own, so that signals reach it and
 * nothing else. With a terminal it stays in our group, which has the foreground, and the terminal signals both.
 */
export function supervise({ argv, tail, onOutput, kill, env }: SuperviseOptions): Supervised {
  const pipes = tail === undefined ? undefined : openOutputPipes()
  const isOnTerminal = hasTerminal()
  const child = start(argv, {
    stdio: stdioOf(pipes),
    detached: !isOnTerminal,
    ...(env && { env: { ...env } }),
  })
  pipes?.closeChildEnds()
  if (!(child instanceof ChildProcess)) return neverStarted(child)
  const ending = endingOf(child, argv[0])
  const copying =
    pipes === undefined || tail === undefined ? undefined : copyOutput(pipes.ourEnds(child), tail, onOutput)
  const group = groupOf(child, isOnTerminal, kill)
  const asked = Promise.withResolvers<void>()
  return {
    ended: ending.then(async (result) => {
      await copying?.drained()
      if (isOnTerminal && result.exitCode !== 0) await Promise.race([asked.promise, sleep(TERMINAL_LAG_MS)])
      return result
    }),
    passedOn: ending.then(() => copying?.settled()),
    close: () => copying?.close(),
    forward: (signal) => {
      if (ENDING_SIGNALS.has(signal)) asked.resolve()
      if (isOnTerminal && TERMINAL_SIGNALS.has(signal) && isInForeground()) {
        group?.isAlive() // remembers the processes that are to be swept if the command ends before them
        return false
      }
      group?.signal(signal)
      if (ENDING_SIGNALS.has(signal)) group?.wake()
      return true
    },
    sweep: async () => {
      if (group === undefined || (await hasEnded(group, SWEEP_MS))) return
      group.signal('SIGKILL')
      await hasEnded(group, KILL_MS)
    },
  }
}

function stdioOf(pipes: OutputPipes | undefined): StdioOptions {
  return ['inherit', ...(pipes?.childEnds ?? (['inherit', 'inherit'] as const)), ...inheritedFds()]
}

/** Node emits some errors of starting a program and throws others. */
function start([command, ...args]: SuperviseOptions['argv'], options: SpawnOptions): ChildProcess | Ending {
  try {
    return spawn(command, args, options)
  } catch (error) {
    return notStarted(command, error as NodeJS.ErrnoException)
  }
}

function notStarted(command: string, { code = '' }: NodeJS.ErrnoException): Ending {
  const isMissing = code === 'ENOENT' || code === 'ERR_INVALID_ARG_VALUE' // an empty name
  return { kind: 'not started', exitCode: isMissing ? 127 : 126, reason: whyNotStarted(command, code) }
}

function neverStarted(ending: Ending): Supervised {
  return {
    ended: Promise.resolve(ending),
    passedOn: Promise.resolve(undefined),
    close: () => undefined,
    forward: () => true,
    sweep: () => Promise.resolve(),
  }
}

/** Undefined if the command could not be started. */
function groupOf({ pid }: ChildProcess, isOnTerminal: boolean, kill: Kill): ProcessGroup | undefined {
  if (pid === undefined) return undefined
  return isOnTerminal ? sharedGroup(pid, kill) : ownGroup(pid, kill)
}

async function hasEnded(group: ProcessGroup, withinMs: number): Promise<boolean> {
  for (let waitedMs = 0; group.isAlive(); waitedMs += SWEEP_STEP_MS) {
    if (waitedMs >= withinMs) return false
    await sleep(SWEEP_STEP_MS)
  }
  return true
}

function endingOf(child: ChildProcess, command: string): Promise<Ending> {
  const { pid } = child
  const status = pid === undefined ? undefined : watchWaitStatus(pid)
  const preparing = setTimeout(() => status?.prepare(), PREPARE_MS).unref()
  return new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => {
      clearTimeout(preparing)
      const unnamed = exitCode === 0 ? status?.signal() : undefined
      if (signal !== null) resolve(killed(constants.signals[signal], signal))
      else if (unnamed !== undefined) resolve(killed(unnamed, signalName(unnamed)))
      else resolve({ kind: 'exited', exitCode: exitCode ?? 0 })
    })
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (pid !== undefined) return // a signal that could not be sent; the command keeps running
      resolve(notStarted(command, error))
    })
  })
}

function killed(number: number, signal: string): Ending {
  return { kind: 'killed', exitCode: 128 + number, signal }
}
