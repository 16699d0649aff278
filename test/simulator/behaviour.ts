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
  readonly clear: () => void
}

/** A playbook without instructions: everything is answered as usual. */
export function createPlaybook(): Playbook {
  const counted: (Instruction & { times: number })[] = []
  const standing: Instruction[] = []
  return {
    add: (instruction) => {
      if (instruction.times === undefined) standing.unshift(instruction)
      else counted.push({ ...instruction, times: instruction.times })
    },
    take: (path) => {
      const fits = ({ endpoint }: Instruction): boolean => endpoint === undefined || endpoint === path
      const next = counted.find((instruction) => fits(instruction) && instruction.times > 0)
      if (next !== undefined) next.times -= 1
      return (next ?? standing.find(fits))?.behaviour ?? { kind: 'usual' }
    },
    clear: () => {
      counted.length = 0
      standing.length = 0
    },
  }
}
