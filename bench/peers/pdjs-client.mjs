// PagerDuty's own JavaScript client, made to talk to another host by its `server` option.
import { event } from '@pagerduty/pdjs'

const { host } = new URL(process.env.BENCH_URL)
const response = await event({ data: JSON.parse(process.env.BENCH_BODY), server: host })
process.exitCode = response.status === 202 ? 0 : 1
