/** Bytes of output in each of two buffers: between one and two of them are kept. */
const BUFFER_BYTES = 128 * 1024
/** A longer line is replaced by a note: a part of it could be a part of a secret, which would not be recognized. */
const MAX_LINE_BYTES = 16 * 1024
const LONG_LINE = '[a line of more than 16 KiB]'

const LINE_FEED = 10
const CARRIAGE_RETURN = 13

/** Records one stream of a command. */
export interface StreamTail {
  write(chunk: Buffer): void
}

/** The last lines that a command printed. */
export interface Tail {
  /** A writer for one stream: lines are kept whole, so that two streams never mix inside a line. */
  stream(): StreamTail
  /** The kept lines, oldest first, the unfinished ones last. Bytes that are not UTF-8 become U+FFFD. */
  text(): string
}

/** Output as it came: bytes, and which stream wrote how many of them in turn. */
interface Recording {
  readonly bytes: Buffer
  length: number
  readonly runs: { readonly stream: number; length: number }[]
  /** Per stream, whether the recording begins in the middle of a line of it. */
  readonly startsInside: readonly boolean[]
}

/**
 * An empty tail. Its memory is bounded, whatever is written, and writing is a copy of bytes: lines are found only when the
 * text is requested.
 */
export function createTail(): Tail {
  const isInside: boolean[] = []
  let current = createRecording(Buffer.alloc(BUFFER_BYTES), isInside)
  let previous: Recording | undefined

  function write(stream: number, chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0;) {
      if (current.length === BUFFER_BYTES) {
        const reused = previous?.bytes ?? Buffer.alloc(BUFFER_BYTES) // a new one each time would only be garbage
        previous = current
        current = createRecording(reused, isInside)
      }
      const part = rest.subarray(0, BUFFER_BYTES - current.length)
      record(current, stream, part)
      isInside[stream] = part.at(-1) !== LINE_FEED
      rest = rest.subarray(part.length)
    }
  }

  return {
    stream: () => {
      const stream = isInside.push(false) - 1
      return { write: (chunk) => write(stream, chunk) }
    },
    text: () => linesOf(previous === undefined ? [current] : [previous, current]).join('\n'),
  }
}

/** An empty recording. @param bytes where it is kept; what they held is overwritten */
function createRecording(bytes: Buffer, isInside: readonly boolean[]): Recording {
  return { bytes, length: 0, runs: [], startsInside: [...isInside] }
}

function record(recording: Recording, stream: number, part: Buffer): void {
  part.copy(recording.bytes, recording.length)
  recording.length += part.length
  const last = recording.runs.at(-1)
  if (last?.stream === stream) last.length += part.length
  else recording.runs.push({ stream, length: part.length })
}

/** Puts each stream's lines together again, in the order in which they were finished. */
function linesOf(recordings: readonly Recording[]): string[] {
  const lines: string[] = []
  const open = new Map<number, Line>()
  for (const [stream, isInside] of recordings[0]?.startsInside.entries() ?? []) {
    if (isInside) open.set(stream, { parts: [], hasStart: false })
  }
  for (const { stream, part } of recordings.flatMap(piecesOf)) {
    const line = open.get(stream) ?? { parts: [], hasStart: true }
    line.parts.push(part)
    if (part.at(-1) === LINE_FEED) lines.push(...shownLine(line, part.length > 0))
    if (part.at(-1) === LINE_FEED) open.delete(stream)
    else open.set(stream, line)
  }
  return [...lines, ...[...open].toSorted(([a], [b]) => a - b).flatMap(([, line]) => shownLine(line, false))]
}

/** A line under construction. Without its start only what follows a carriage return can be shown of it. */
interface Line {
  readonly parts: Buffer[]
  readonly hasStart: boolean
}

/** What a recording holds, cut after every line feed. */
function piecesOf({ bytes, runs }: Recording): { stream: number; part: Buffer }[] {
  const pieces: { stream: number; part: Buffer }[] = []
  let start = 0
  for (const { stream, length } of runs) {
    const end = start + length
    while (start < end) {
      const lineFeed = bytes.subarray(start, end).indexOf(LINE_FEED)
      const next = lineFeed === -1 ? end : start + lineFeed + 1
      pieces.push({ stream, part: bytes.subarray(start, next) })
      start = next
    }
  }
  return pieces
}

/**
 * What a line ends up showing, as on a terminal: progress bars leave their last state. An empty unfinished line is left
 * out.
 */
function shownLine({ parts, hasStart }: Line, isFinished: boolean): string[] {
  const whole = Buffer.concat(parts)
  const line = isFinished ? whole.subarray(0, -1) : whole
  const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length
  const restart = line.subarray(0, end).lastIndexOf(CARRIAGE_RETURN)
  const visible = line.subarray(restart + 1, end)
  if (visible.length > MAX_LINE_BYTES || (!hasStart && restart === -1)) return [LONG_LINE]
  return isFinished || visible.length > 0 ? [visible.toString('utf8')] : []
}
