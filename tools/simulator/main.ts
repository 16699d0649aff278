import { parseArgs } from 'node:util'
import { EXAMPLE, EXAMPLE_ACCOUNT } from './example-account.ts'
import { startSimulator } from './simulator.ts'

const USAGE = `usage: npm run simulator -- [options]

Runs a simulated PagerDuty: the Events API, and the parts of the REST API that this project uses. It
prints the events that it receives.

  --port N     the port to listen on (default: a free one)
  --host HOST  the address to listen on (default: 127.0.0.1)
  --help       print this text

Its account has one service, Shop, with Jane Doe on call. To send events to it and use its REST API, paste into
another shell the lines that it prints at its start. With --port 9999 they are:

${exportLines('http://127.0.0.1:9999')}

It accepts any other routing key of 32 letters and digits too, but refuses any other REST API token with 401. An
alert of the service is an open incident until it is resolved.`

/** EX_USAGE of sysexits.h. */
const USAGE_ERROR = 64

const options = readOptions()
if (typeof options === 'string') fail(options)
else if (options.help) process.stdout.write(`${USAGE}\n`)
else await start(options.host, options.port)

interface Options {
  readonly help: boolean
  readonly host: string
  readonly port: number
}

/** The options on the command line, or what is wrong with them. */
function readOptions(): Options | string {
  try {
    const { values } = parseArgs({
      options: {
        help: { type: 'boolean', default: false },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '0' },
      },
    })
    const port = Number(values.port)
    const isPort = /^\d+$/.test(values.port) && port <= 65_535
    return isPort ? { ...values, port } : '--port must be a number from 0 to 65535'
  } catch (error) {
    return (error as Error).message
  }
}

async function start(host: string, port: number): Promise<void> {
  const log = (line: string): void =>
    void process.stdout.write(`${new Date().toISOString().slice(11, 19)}  ${line}\n`)
  try {
    const simulator = await startSimulator({
      host,
      port,
      log,
      rest: EXAMPLE_ACCOUNT,
      alertsAreIncidents: true,
    })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.close())
    process.stdout.write(`PagerDuty simulator on ${simulator.url}\n\n`)
    process.stdout.write(`Paste this into another shell to use it:\n\n${exportLines(simulator.url)}\n\n`)
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    fail(code === 'EADDRINUSE' ? `another program uses port ${port}` : `cannot listen on ${host}: ${code}`)
  }
}

/** Shell lines that point the program at a simulator. */
function exportLines(url: string): string {
  return [
    `  export PAGERDUTY_EVENTS_URL=${url} PAGERDUTY_TOKEN=${EXAMPLE.routingKey}`,
    `  export PAGERDUTY_API_URL=${url} PAGERDUTY_API_TOKEN=${EXAMPLE.apiToken} PAGERDUTY_SERVICE_ID=${EXAMPLE.serviceId}`,
  ].join('\n')
}

function fail(reason: string): void {
  process.stderr.write(`${reason}\n\n${USAGE}\n`)
  process.exitCode = USAGE_ERROR
}
