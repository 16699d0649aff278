import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonObject } from '../../src/core/json.ts'
import { createTransport } from '../../src/delivery/transport.ts'
import { openSpool } from '../../src/spool/open.ts'
import { startWorker } from '../../src/spool/worker/worker.ts'
import { quickClock } from '../support/worker.ts'
import { alertItem, ownKey } from '../support/spool.ts'
import { deploymentDetails, REFUSED } from './agreement.ts'

/*
 * One of several processes on a spool: adds events as fast as it can, delivers when it may, and is killed at any moment.
 * Arguments: directory, address of the simulator, its own name, how far its clock is off (ms), events to add.
 */
const [, , directory = '', baseUrl = '', name = '', offset = '0', count = '0'] = process.argv
const spool = await openSpool({
  directory,
  limit: 1_000_000,
  onWarning: (message) => process.send?.({ warning: message }),
  now: () => Date.now() + Number(offset),
})
const quiet = (): undefined => undefined
startWorker({
  spool,
  transport: createTransport({ proxy: {}, baseUrl }),
  clock: { ...quickClock(), random: () => Math.random() / 100 },
  resolve: (key) => ({ baseUrl, routingKey: key.kind === 'own' ? key.key : undefined }),
  userAgent: 'chaos',
  timeoutMs: 500,
  maxAgeMs: 24 * 3_600_000,
  ratePerMinute: Number.POSITIVE_INFINITY,
  secrets: [],
  events: { onDelivered: quiet, onRetry: quiet, onDead: quiet, onLock: quiet, onStoreProblem: quiet },
})

async function addOne(number: number): Promise<void> {
  // Each alert is of one process and one key: the order in which it adds is the order to be kept.
  const lane = number % 10
  // One lane reports deployments. PagerDuty refuses every fourth of them, and all of another lane.
  const isRefused = lane === 8 || (lane === 7 && number % 40 === 7)
  const alert = `${name}/${isRefused ? REFUSED : ''}${lane}`
  const { event, key } = alertItem('trigger', alert, ownKey(lane))
  const payload = {
    summary: `${alert} ${number}`,
    source: 'chaos',
    severity: 'info',
    ...(lane === 7 && { custom_details: deploymentDetails(alert, number) as JsonObject }),
  } as const
  const added = await spool.add([{ key, event: { kind: 'alert', body: { ...event.body, payload } } }])
  if (added.kind === 'added') process.send?.({ accepted: payload.summary })
}

for (let first = 0; first < Number(count); first += 10) {
  await Promise.all(Array.from({ length: 10 }, (_, index) => addOne(first + index)))
  await sleep(5)
}
process.on('disconnect', () => process.exit(0))
