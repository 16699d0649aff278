import { z } from 'zod'

/** What fits into one string with room to spare. */
const MAX_FLOOD_BYTES = 256 * 1024 * 1024
const delayMs = z.int().nonnegative().optional()

/**
 * How a request is met. Every kind may wait `delayMs` first.
 * The usual answer is PagerDuty's own: where a kind cuts it short, the event has been taken all the same.
 */
export const BEHAVIOUR = z.discriminatedUnion('kind', [
  /** The usual answer; of use with a delay. */
  z.strictObject({ kind: z.literal('usual'), delayMs }),
  /** Any other answer: 429 with `retry-after`, a page of HTML, a redirect with `location`. The event is not taken. */
  z.strictObject({
    kind: z.literal('answer'),
    status: z.int().min(200).max(599),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.string().optional(),
    delayMs,
  }),
  /** The request's own body comes back, as from servers that quote what they refuse. The event is not taken. */
  z.strictObject({ kind: z.literal('echo'), status: z.int().min(200).max(599), delayMs }),
  /** A body of this many bytes. The event is not taken. */
  z.strictObject({
    kind: z.literal('flood'),
    status: z.int().min(200).max(599),
    bytes: z.int().positive().max(MAX_FLOOD_BYTES),
    delayMs,
  }),
  /** Interim answers that nobody asked for, each with so many headers, then the usual answer. */
  z.strictObject({
    kind: z.literal('interim'),
    statuses: z.array(z.int().min(100).max(199)).min(1),
    headers: z.int().nonnegative().optional(),
    /** Byte by byte. */
    isSplit: z.boolean().optional(),
    delayMs,
  }),
  /** An answer that is compressed though nobody asked for it. The event is not taken. */
  z.strictObject({
    kind: z.literal('compressed'),
    status: z.int().min(200).max(599),
    coding: z.enum(['gzip', 'deflate', 'br', 'zstd']),
    body: z.string(),
    delayMs,
  }),
  /** The usual answer with so many more headers of so many bytes. */
  z.strictObject({
    kind: z.literal('headers'),
    count: z.int().positive(),
    bytes: z.int().positive().optional(),
    delayMs,
  }),
  /** The usual answer with lines in its head that are not HTTP, or none of them. */
  z.strictObject({ kind: z.literal('malformed'), lines: z.array(z.string()), delayMs }),
  /** The usual answer, then the connection is closed without having been announced as closing. */
  z.strictObject({ kind: z.literal('close'), delayMs }),
  /** The usual answer's headers and half of its body, then the connection is closed. */
  z.strictObject({ kind: z.literal('truncate'), delayMs }),
  /** Nothing ever comes: not after the request (the event is not taken), or not after the answer's headers. */
  z.strictObject({ kind: z.literal('hang'), after: z.enum(['request', 'headers']), delayMs }),
  /**
   * The connection is reset: on the request's headers, before its body is read; after its body; or in the middle of
   * the usual answer. Only with the last is the event taken.
   */
  z.strictObject({ kind: z.literal('reset'), after: z.enum(['headers', 'body', 'half-answer']), delayMs }),
])

/** See {@link BEHAVIOUR}. */
export type Behaviour = z.infer<typeof BEHAVIOUR>

/** How requests are to be met. */
export const INSTRUCTION = z.strictObject({
  /** Path of the requests that are meant, such as `/v2/enqueue`; all where absent. */
  endpoint: z.string().optional(),
  /** What the request's body contains: one event always goes wrong. These go before all others, and are not counted. */
  containing: z.string().min(1).optional(),
  /** For how many requests; absent: whenever no counted instruction fits, until a newer one replaces it. */
  times: z.int().positive().optional(),
  behaviour: BEHAVIOUR,
})

/** See {@link INSTRUCTION}. */
export type Instruction = z.infer<typeof INSTRUCTION>

/** The instructions given and not yet used up. */
export interface Playbook {
  readonly add: (instruction: Instruction) => void
  /**
   * Takes the behaviour for one request: of the oldest counted instruction that fits; with none left, of the newest
   * one without a count; or else the usual one.
   */
  readonly take: (path: string) => Behaviour
  /** The behaviour for a request with this body; undefined where no instruction is about what it contains. */
  readonly takeContaining: (path: string, body: Buffer) => Behaviour | undefined
  readonly clear: () => void
}

/** A playbook without instructions: everything is answered as usual. */
export function createPlaybook(): Playbook {
  const counted: (Instruction & { times: number })[] = []
  const standing: Instruction[] = []
  const poison: Instruction[] = []
  return {
    add: (instruction) => {
      if (instruction.containing !== undefined) poison.unshift(instruction)
      else if (instruction.times === undefined) standing.unshift(instruction)
      else counted.push({ ...instruction, times: instruction.times })
    },
    take: (path) => {
      const fits = ({ endpoint }: Instruction): boolean => endpoint === undefined || endpoint === path
      const next = counted.find((instruction) => fits(instruction) && instruction.times > 0)
      if (next !== undefined) next.times -= 1
      return (next ?? standing.find(fits))?.behaviour ?? { kind: 'usual' }
    },
    takeContaining: (path, body) =>
      poison.find(
        ({ endpoint, containing = '' }) =>
          (endpoint === undefined || endpoint === path) && body.includes(containing),
      )?.behaviour,
    clear: () => {
      poison.length = 0
      counted.length = 0
      standing.length = 0
    },
  }
}
