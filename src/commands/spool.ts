import type { Session } from '../cli/session.ts'
import { Failure } from '../core/failure.ts'
import { exitOf, incompleteOf, textOf, type JsonAnswer, type DeadChoice, type Backend } from './backend.ts'
import { openBackend } from './open-backend.ts'

const STATUSES = ['pending', 'dead', 'delivered'] as const

/**
 * `spool list`, `spool retry` and `spool discard`: what the relay's routes do, for people and for spools without a relay.
 * @returns the exit status
 * @throws Failure of kind `usage` for anything else
 */
export async function spool(session: Session, [action, choice]: readonly string[]): Promise<number> {
  const isChange = action === 'retry' || action === 'discard'
  if (action !== 'list' && !isChange)
    throw new Failure('usage', 'spool needs an action: list, retry or discard')
  if (action === 'list' && choice !== undefined) throw new Failure('usage', 'spool list takes no argument')
  if (action === 'discard' && choice === undefined)
    throw new Failure('usage', 'spool discard needs the id of a dead event, a key, or all')
  const backend = await openBackend(session)
  try {
    return isChange ? await change(session, backend, action, choice) : await list(session, backend)
  } finally {
    await backend.close()
  }
}

async function change(
  { io, log, json }: Session,
  backend: Backend,
  action: 'retry' | 'discard',
  choice: string | undefined,
): Promise<number> {
  const answer = await backend.change(action, choiceOf(choice))
  if (json) print(io.writeOut, answer)
  const { retried, discarded, left_out: leftOut } = answer
  log.info(
    action === 'retry'
      ? `${Number(retried)} dead events are pending again`
      : `${Number(discarded)} dead events discarded`,
  )
  if (leftOut !== undefined)
    log.warn(
      `${Number(leftOut)} left out: a later event of the same alert has settled it; retry one by its id to send it anyway`,
    )
  return 0
}

/** An id is a number; everything else is a key, whole or as the list masks it. */
function choiceOf(text: string | undefined): DeadChoice {
  if (text === undefined || text === 'all') return {}
  return /^\d{1,16}$/.test(text) ? { id: Number(text) } : { key: text }
}

async function list(session: Session, backend: Backend): Promise<number> {
  const { io, json } = session
  const answers = await Promise.all(STATUSES.map((status) => backend.events(status)))
  const events = answers.flatMap(({ events: some }) => (Array.isArray(some) ? (some as JsonAnswer[]) : []))
  const counts = answers[0]?.['counts']
  if (json) print(io.writeOut, { events, counts, ...incompleteOf(backend) })
  else for (const event of events) io.writeOut(`${lineOf(event)}\n`)
  return exitOf(session, backend)
}

function lineOf(event: JsonAnswer): string {
  const text = (name: string): string => textOf(event, name)
  const what = text('kind') === 'change' ? 'change event' : `${text('action')} of ${text('dedup_key')}`
  const reason = text('reason') === '' ? '' : `: ${text('reason')}`
  return `${text('accepted_at')}  ${text('status').padEnd(9)}  ${text('id')}  ${text('key')}  ${what}${reason}`
}

function print(writeOut: (text: string) => void, answer: object): void {
  writeOut(`${JSON.stringify(answer)}\n`)
}
