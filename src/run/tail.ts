/** Bytes of whole lines that are kept while the command runs. */
const MAX_BYTES = 256 * 1024
/** A longer line is replaced by a note: a part of it might be a part of a secret, which nothing would recognise. */
const MAX_LINE_BYTES = 16 * 1024

const LINE_FEED = 10
const CARRIAGE_RETURN = 13

/** The last lines that a command printed. */
export interface Tail {
  /** A writer for one stream: lines are kept whole, so that two streams never mix inside a line. */
  stream(): { write(chunk: Buffer): void }
  /** The kept lines, oldest first, the unfinished ones last. Bytes that are not UTF-8 become U+FFFD. */
  text(): string
}

/** An empty tail. Its memory is bounded, whatever is written. */
export function createTail(): Tail {
  const lines: Buffer[] = []
  let bytes = 0
  const streams: { unfinished: () => Buffer }[] = []

  function keep(line: Buffer): void {
    lines.push(line)
    bytes += line.length + 1
    while (bytes > MAX_BYTES) bytes -= (lines.shift()?.length ?? 0) + 1
  }

  return {
    stream: () => {
      const line = createLine(keep)
      streams.push(line)
      return line
    },
    text: () =>
      [...lines, ...streams.map(({ unfinished }) => unfinished()).filter(({ length }) => length > 0)]
        .map((line) => line.toString('utf8'))
        .join('\n'),
  }
}

/** Cuts a stream into lines. A carriage return begins the line anew, as on a terminal: progress bars leave their last state. */
function createLine(keep: (line: Buffer) => void): { write(chunk: Buffer): void; unfinished: () => Buffer } {
  let parts: Buffer[] = []
  let length = 0

  function unfinished(): Buffer {
    return length > MAX_LINE_BYTES
      ? Buffer.from(`[a line of ${length} bytes]`)
      : withoutReturns(Buffer.concat(parts))
  }
  function add(part: Buffer): void {
    length += part.length
    if (length > MAX_LINE_BYTES) parts = []
    else if (part.length > 0) parts.push(Buffer.from(part)) // a copy: the chunk is reused
  }
  return {
    unfinished,
    write: (chunk) => {
      let start = 0
      for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
        add(chunk.subarray(start, end))
        keep(unfinished())
        parts = []
        length = 0
        start = end + 1
      }
      const rest = chunk.subarray(start)
      const restart = rest.lastIndexOf(CARRIAGE_RETURN, -2)
      if (restart !== -1) {
        parts = []
        length = 0
      }
      add(rest.subarray(restart + 1))
    },
  }
}

/** What a line ends up showing: the text after its last carriage return, one at the very end excepted. */
function withoutReturns(line: Buffer): Buffer {
  const end = line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length
  const visible = line.subarray(0, end)
  return visible.subarray(visible.lastIndexOf(CARRIAGE_RETURN) + 1)
}
