import type { Io } from '../../cli/session.ts'
import { keyMissing } from '../../config/load.ts'
import { restMissing } from '../../config/rest.ts'
import type { Event } from '../../core/event.ts'
import { Failure } from '../../core/failure.ts'
import { fitEvent } from '../../core/fit.ts'
import { takesChanges } from '../../core/routing-key.ts'
import type { Delivery } from '../../delivery/sender.ts'
import type { Confirmation } from '../../cli/report.ts'
import type { KeyContext } from '../rest-access.ts'
import { addressPosts, sendPosts } from '../send-posts.ts'
import { failed, fromFailure, ok, warning, type Finding } from './finding.ts'

const CHECK = 'test event'

/** What sending a test event needs. */
type TestContext = KeyContext & { readonly io: Pick<Io, 'hostname'> }

/**
 * `doctor --send-test`: sends a change event, which pages nobody, with every key that takes change events. With a REST API
 * token it also checks that PagerDuty shows it.
 */
export async function checkTestEvent(session: TestContext): Promise<Finding[]> {
  const { config } = session
  const { keys } = config.delivery
  const usable = keys.filter(({ key }) => takesChanges(key))
  if (keyMissing(config) !== undefined)
    return [warning(CHECK, 'not sent: there is no key', 'set the key that is missing')]
  if (keys.length > 0 && usable.length === 0) {
    const advice = 'use the key of a service’s own Events API v2 integration'
    return [warning(CHECK, 'not sent: a key of Event Orchestration takes no change events', advice)]
  }
  // A test is not worth keeping in the spool.
  const { spool: _, ...rest } = config
  const testing = { ...session, config: { ...rest, delivery: { ...config.delivery, keys: usable } } }
  try {
    const addressed = await addressPosts(testing, [testEvent(session)])
    const deliveries = await sendPosts(testing, addressed)
    return await describe(testing, deliveries)
  } catch (error) {
    if (error instanceof Failure) return [fromFailure(CHECK, error)]
    throw error
  }
}

function testEvent({ io }: TestContext): Event {
  const summary = `Test of pagerduty-alert from ${io.hostname}: nothing was deployed`
  const timestamp = new Date().toISOString()
  const payload = { summary, source: io.hostname, timestamp, custom_details: { test: true } }
  return fitEvent({ kind: 'change', body: { payload } }).event
}

async function describe(session: TestContext, deliveries: readonly Delivery[]): Promise<Finding[]> {
  const canAsk = restMissing(CHECK, session.config.rest) === undefined
  const { confirmDeliveries } = await import('../confirm.ts')
  const confirmations = canAsk ? await confirmDeliveries(session, deliveries) : undefined
  return deliveries.map((delivery) => describeOne(delivery, confirmations?.get(delivery)))
}

function describeOne({ post, outcome, reason = '', status }: Delivery, confirmation?: Confirmation): Finding {
  const name = post.alias === undefined ? '' : `key ${post.alias}: `
  if (outcome === 'refused') {
    const advice = 'copy the Integration Key again, or check the region'
    return failed(CHECK, 'refused', { detail: `${name}refused with ${reason}`, advice })
  }
  if (outcome !== 'accepted') {
    const advice = 'check network, proxy and firewall'
    return failed(CHECK, 'undelivered', { detail: `${name}not delivered: ${reason}`, advice })
  }
  if (confirmation === undefined)
    return ok(
      CHECK,
      `${name}accepted (${status}); with a REST API token and the service, doctor also checks that it is shown`,
    )
  const { isShown, sentence } = confirmation
  if (isShown === true) return ok(CHECK, `${name}${sentence}`)
  return warning(CHECK, `${name}${sentence}`, 'look at the service’s Recent Changes in PagerDuty')
}
