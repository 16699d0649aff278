import type { FastifyInstance } from 'fastify'
import { INSTRUCTION, type Instruction } from './behaviour.ts'
import { parseJson } from './judge.ts'
import type { Ledger } from './ledger.ts'
import { toMaskedJson } from './mask.ts'
import type { Recorder } from './recorder.ts'
import { REST_SEED, type RestSeed, type RestState } from './rest-state.ts'

interface ControlParts {
  readonly recorder: Recorder
  readonly ledger: Ledger
  readonly account: () => RestState
  readonly behave: (instruction: Instruction) => void
  readonly seed: (seed: RestSeed) => void
  readonly reset: () => void
}

/** The simulator's controls for other processes: what it has seen (keys masked), how to behave, a fresh start. */
export function mountControl(
  app: FastifyInstance,
  { recorder, ledger, account, behave, seed, reset }: ControlParts,
): void {
  app.get('/_simulator/state', (_request, reply) => {
    const requests = recorder.requests.map(({ body, ...request }) => ({
      ...request,
      body: body.toString('utf8'),
      bodyBytes: body.length,
    }))
    const { tokens: _, ...rest } = account() // which are secrets
    const state = { requests, alerts: ledger.alerts, changes: ledger.changes, rest }
    return reply.type('application/json').send(toMaskedJson(state))
  })
  app.post('/_simulator/behave', (request, reply) => {
    const instruction = INSTRUCTION.safeParse(
      Buffer.isBuffer(request.body) ? parseJson(request.body) : undefined,
    )
    if (!instruction.success) return reply.code(400).send({ errors: instruction.error.issues })
    behave(instruction.data)
    return reply.code(204).send()
  })
  app.post('/_simulator/seed', (request, reply) => {
    const read = REST_SEED.safeParse(Buffer.isBuffer(request.body) ? parseJson(request.body) : undefined)
    if (!read.success) return reply.code(400).send({ errors: read.error.issues })
    seed(read.data)
    return reply.code(204).send()
  })
  app.post('/_simulator/reset', (_, reply) => {
    reset()
    return reply.code(204).send()
  })
}
