import { composeRelayTransport } from '../src/compose.ts'
import { addAll, deliverAll, numberedItem, openBenchSpool } from './spool-work.ts'

/*
 * Delivers COUNT events of one routing key, each a different alert, as fast as the server accepts them: without PagerDuty's
 * rate limit. Prints the JSON of the events a second.
 * usage: delivery-rate.ts FOLDER URL COUNT
 */
const [folder = '', baseUrl = '', count = ''] = process.argv.slice(2)
const spool = await openBenchSpool(folder)
await addAll(
  spool,
  Array.from({ length: Number(count) }, (_, index) => numberedItem(index)),
)
const transport = composeRelayTransport({
  region: 'us',
  eventsUrl: baseUrl,
  keys: [],
  deadlineMs: 60_000,
  timeoutMs: 10_000,
  proxy: {},
  secrets: [],
})
const elapsedMs = await deliverAll({ spool, transport, baseUrl, ratePerMinute: Number.POSITIVE_INFINITY })
await spool.close()
process.stdout.write(JSON.stringify(Number(count) / (elapsedMs / 1000)))
