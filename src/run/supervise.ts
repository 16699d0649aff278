import { spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { copyStream } from './copy-stream.ts'
import { openOutputPipes, type OutputPipes } from './output-pipes.ts'
import type { Tail } from './tail.ts'

/** How a command ended. */
export type Ending =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals }
  /** It could not be started; the exit status is the shell's for that, 126 or 127. */
  | { readonly kind: 'not started'; readonly exitCode: number; readonly reason: string }

/** A command under way. */
export interface Supervised {
  /** Resolves when the command has ended and its output has been passed on. */
  readonly ended: Promise<Ending>
  /** Passes a signal on to the command, and to its process group where it has one of its own. */
  readonly forward: (signal: NodeJS.Signals) => void
  /** Ends what is left of the command's process group, with a little time to end by itself. */
  readonly sweep: () => Promise<void>
  /** Stops passing output on: of children that outlive the command. */
  readonly close: () => void
}

export interface SuperviseOptions {
  /** The program and its arguments. */
  readonly argv: readonly [string, ...string[]]
  /** Keeps what is printed; absent: the command has our streams, and the terminal, itself. */
  readonly tail: Tail | undefined
  /** Whether stdin is a terminal: then the command stays in our process group, which the terminal signals by itself. */
  readonly isInteractive: boolean
  /** Called whenever the command prints something. */
  readonly onOutput: () => void
  /** `process.kill`. */
  readonly kill: (target: number, signal: NodeJS.Signals | 0) => void
}

/** How long output may still come after the command has ended, from children that it left behind. */
const LINGER_MS = 250
/** How long the rest of a process group has to end after a signal, before it is killed. */
const SWEEP_MS = 1000
const SWEEP_STEP_MS = 25

/** Starts a command with its stdin, environment and working directory as ours, its output passed on live. */
export function supervise({ argv, tail, isInteractive, onOutput, kill }: SuperviseOptions): Supervised {
  const [command, ...args] = argv
  const pipes = tail === undefined ? undefined : openOutputPipes()
  const [stdout, stderr] = pipes?.childEnds ?? ['inherit', 'inherit']
  const child = spawn(command, args, { stdio: ['inherit', stdout, stderr], detached: !isInteractive })
  const ending = endingOf(child)
  pipes?.closeChildEnds()
  const copying =
    pipes === undefined || tail === undefined ? undefined : copyOutput(pipes, child, tail, onOutput)
  /** Signals the command or its group. False where nothing is left to signal. */
  const signalTarget = (signal: NodeJS.Signals | 0): boolean => {
    if (child.pid === undefined) return false
    try {
      kill(isInteractive ? child.pid : -child.pid, signal)
      return true
    } catch {
      return false
    }
  }
  return {
    ended: ending.then(async (result) => {
      await copying?.settled()
      return result
    }),
    close: () => copying?.close(),
    forward: (signal) => {
      // On a terminal, Ctrl-C and hanging up reach the whole foreground group, the command included, without us.
      if (!isInteractive || signal === 'SIGTERM') signalTarget(signal)
    },
    sweep: async () => {
      if (isInteractive) return
      const stepCount = SWEEP_MS / SWEEP_STEP_MS
      for (let step = 0; step < stepCount && signalTarget(0); step++) await sleep(SWEEP_STEP_MS)
      signalTarget('SIGKILL')
    },
  }
}

/** The exit status that a shell gives for an ending: the command's own, or 128 and the signal's number. */
export function exitStatusOf(ending: Ending): number {
  return ending.kind === 'killed' ? 128 + constants.signals[ending.signal] : ending.exitCode
}

function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => {
      resolve(signal === null ? { kind: 'exited', exitCode: exitCode ?? 0 } : { kind: 'killed', signal })
    })
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return // a signal that could not be sent; the command goes on
      const isMissing = error.code === 'ENOENT'
      const reason = isMissing ? 'command not found' : `cannot be started (${error.code})`
      resolve({ kind: 'not started', exitCode: isMissing ? 127 : 126, reason })
    })
  })
}

/** Output on its way from the command to our own streams. */
interface Copying {
  /** Resolves at the end of the output, or when it has been quiet for `LINGER_MS` with nothing left to write. */
  settled(): Promise<void>
  /** Stops reading. */
  close(): void
}

function copyOutput(pipes: OutputPipes, child: ChildProcess, tail: Tail, onOutput: () => void): Copying {
  const { stdout, stderr } = pipes.ourEnds(child)
  const streams = stderr === undefined ? [stdout] : [stdout, stderr]
  let writing = 0
  let chunks = 0
  const copies = streams.map((stream, index) => {
    const kept = tail.stream()
    const onChunk = (chunk: Buffer): void => {
      chunks += 1
      writing += 1
      kept.write(chunk)
      onOutput()
    }
    return copyStream(stream, index + 1, { onChunk, onWritten: () => void (writing -= 1) })
  })
  const ended = Promise.all(copies).then(() => true)
  return {
    settled: async () => {
      for (let seen = -1; ; seen = chunks) {
        const isEnded = await Promise.race([ended, sleep(LINGER_MS, false)])
        if (isEnded || (chunks === seen && writing === 0)) return
      }
    },
    close: () => streams.forEach((stream) => stream.destroy()),
  }
}
