import { join } from 'node:path'
import { addAll, deliverAll, INSTANT, numberedItem, openBenchSpool } from './spool-work.ts'
import type { Point } from './statistics.ts'

/*
 * What it costs to deliver one event of each key with more and more keys, at PagerDuty's rate, to a server that accepts at
 * once.
 * Prints the JSON of points of keys and milliseconds.
 * usage: delivery-keys.ts FOLDER MAX_KEYS
 */
const RATE_PER_MINUTE = 110
const RUNS = 3
const [folder = '', maxKeys = '1'] = process.argv.slice(2)
const points: Point[] = []
for (let keys = 1; keys <= Number(maxKeys); keys *= 10) {
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const spool = await openBenchSpool(join(folder, `${keys}-${run}`))
    await addAll(
      spool,
      Array.from({ length: keys }, (_, index) => numberedItem(index, index)),
    )
    times.push(
      await deliverAll({
        spool,
        transport: INSTANT,
        baseUrl: 'http://pagerduty.test',
        ratePerMinute: RATE_PER_MINUTE,
      }),
    )
    await spool.close()
  }
  points.push({ size: keys, cost: Math.min(...times) })
}
process.stdout.write(JSON.stringify(points))
