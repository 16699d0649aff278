import { randomUUID } from 'node:crypto'
import { jsonAnswer } from './answer.ts'
import { describeAlert, describeChange } from './describe.ts'
import type { Route } from './exchange.ts'
import { judgeAlert, judgeChange } from './judge.ts'
import type { Ledger } from './ledger.ts'

interface EventsParts {
  readonly ledger: Ledger
  /** The keys that have an integration. Default: any well-formed one. */
  readonly knownKeys: readonly string[] | undefined
  /** Whether alerts of a key are accepted and dropped. */
  readonly isMuted: (key: string) => boolean
  /** Whether change events of a key are accepted and dropped. */
  readonly isOfDisabled: (key: string) => boolean
  readonly log: (line: string) => void
}

/**
 * The Events API v2: alerts and change events.
 * Source of the answers: PagerDuty's OpenAPI file, and for a change event's its Go client and others' recordings.
 */
export function eventsRoutes({ ledger, knownKeys, isMuted, isOfDisabled, log }: EventsParts): Route[] {
  const isKnownKey = (key: string): boolean => knownKeys?.includes(key) ?? true
  return [
    {
      method: 'POST',
      path: '/v2/enqueue',
      answer: ({ body }) => {
        const verdict = judgeAlert(body, isKnownKey)
        if (!verdict.accepted) {
          log(`alert refused with ${verdict.answer.status}: ${verdict.reasons.join('; ')}`)
          return verdict.answer
        }
        if (isMuted(verdict.event.routing_key)) {
          log('alert dropped: the service is in maintenance or disabled')
          const { dedup_key: dedupKey = randomUUID() } = verdict.event
          return jsonAnswer(202, { status: 'success', message: 'Event processed', dedup_key: dedupKey })
        }
        const { effect, dedupKey } = ledger.addAlert(verdict.event)
        log(describeAlert(effect, dedupKey, verdict.event))
        return jsonAnswer(202, { status: 'success', message: 'Event processed', dedup_key: dedupKey })
      },
    },
    {
      method: 'POST',
      path: '/v2/change/enqueue',
      answer: ({ body }) => {
        const verdict = judgeChange(body, isKnownKey)
        if (!verdict.accepted) {
          log(`change event refused with ${verdict.answer.status}: ${verdict.reasons.join('; ')}`)
          return verdict.answer
        }
        if (isOfDisabled(verdict.event.routing_key)) log('change event dropped: the service is disabled')
        else {
          ledger.addChange(verdict.event)
          log(describeChange(verdict.event))
        }
        return jsonAnswer(202, { status: 'success', message: 'Change event processed' })
      },
    },
  ]
}
