import { z } from 'zod'

/** Easily fits into one string. */
const MAX_FLOOD_BYTES = 256 * 1024 * 1024
const delayMs = z.int().nonnegative().optional()

/**
 * How the simulator answers a request. Every kind may wait `delayMs` first.
 * The usual answer is PagerDuty's own; even if a kind cuts it short, the event has been accepted.
 */
export const BEHAVIOUR = z.discriminatedUnion('kind', [
  /** The usual answer; useful with a delay. */
  z.strictObject({ kind: z.literal('usual'), delayMs }),
  /** Any other answer: 429 with `retry-after`, a page of HTML, a redirect with `location`. The event is not accepted. */
  z.strictObject({
    kind: z.literal('answer'),
    status: z.int().min(200).max(599),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.string().optional(),
    delayMs,
  }),
  /** The request's own body comes back, as from servers that quote what they refuse. The event is not accepted. */
  z.strictObject({ kind: z.literal('echo'), status: z.int().min(200).max(599), delayMs }),
  /** A body of this many bytes. The event is not accepted. */
  z.strictObject({
    kind: z.literal('flood'),
    status: z.int().min(200).max(599),
    bytes: z.int().positive().max(MAX_FLOOD_BYTES),
    delayMs,
  }),
  /** Unsolicited interim answers, each with this many headers, then the usual answer. */
  z.strictObject({
    kind: z.literal('interim'),
    statuses: z.array(z.int().min(100).max(199)).min(1),
    headers: z.int().nonnegative().optional(),
    /** Byte by byte. */
    isSplit: z.boolean().optional(),
    delayMs,
  }),
  /** An answer that is compressed although the client did not ask for it. The event is not accepted. */
  z.strictObject({
    kind: z.literal('compressed'),
    status: z.int().min(200).max(599),
    coding: z.enum(['gzip', 'deflate', 'br', 'zstd']),
    body: z.string(),
    delayMs,
  }),
  /** The usual answer with this many extra headers of this many bytes. */
  z.strictObject({
    kind: z.literal('headers'),
    count: z.int().positive(),
    bytes: z.int().positive().optional(),
    delayMs,
  }),
  /** The usual answer with a head whose lines are not HTTP, or are missing. */
  z.strictObject({ kind: z.literal('malformed'), lines: z.array(z.string()), delayMs }),
  /** The usual answer, then the connection is closed without notice. */
  z.strictObject({ kind: z.literal('close'), delayMs }),
  /** The usual answer's headers and half of its body, then the connection is closed. */
  z.strictObject({ kind: z.literal('truncate'), delayMs }),
  /** Nothing more is ever sent: after the request (the event is not accepted), or after the answer's headers. */
  z.strictObject({ kind: z.literal('hang'), after: z.enum(['request', 'headers']), delayMs }),
  /**
   * The connection is reset: on the request's headers, before its body is read; after its body; or in the middle of
   * the usual answer. Only in the last case is the event accepted.
   */
  z.strictObject({ kind: z.literal('reset'), after: z.enum(['headers', 'body', 'half-answer']), delayMs }),
])

/** See {@link BEHAVIOUR}. */
export type Behaviour = z.infer<typeof BEHAVIOUR>

/** How to answer some requests. */
export const INSTRUCTION = z.strictObject({
  /** The path of these requests, such as `/v2/enqueue`. Default: all. */
  endpoint: z.string().optional(),
  /** Only requests whose body contains this, so that one event always fails. Comes before all others; not counted. */
  containing: z.string().min(1).optional(),
  /** For how many requests. Absent: whenever no counted instruction matches, until a newer one replaces it. */
  times: z.int().positive().optional(),
  behaviour: BEHAVIOUR,
})

/** See {@link INSTRUCTION}. */
export type Instruction = z.infer<typeof INSTRUCTION>

/** The instructions that are not used up yet. */
export interface Playbook {
  readonly add: (instruction: Instruction) => void
  /**
   * Takes the behaviour for one request: of the oldest counted instruction that matches; if none is left, of the newest
   * one without a count; or else the usual one.
   */
  readonly take: (path: string) => Behaviour
  /** The behaviour for a request with this body; undefined if no instruction is about its content. */
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
