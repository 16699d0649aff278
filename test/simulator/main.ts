import { parseArgs } from 'node:util'
import { startSimulator } from './simulator.ts'

const USAGE = `usage: npm run simulator -- [options]

A simulated PagerDuty: its Events API and the parts of the REST API that this project uses. Send to it with
PAGERDUTY_EVENTS_URL and PAGERDUTY_API_URL, and any routing key of 32 letters and digits.

  --port N     where it listens (default: a free port, which is printed)
  --host HOST  the address that it listens on (default: 127.0.0.1)
  --help       this text`

/** EX_USAGE of sysexits.h. */
const USAGE_ERROR = 64

const told = readOptions()
if (typeof told === 'string') fail(told)
else if (told.help) process.stdout.write(`${USAGE}\n`)
else await start(told.host, told.port)

interface Options {
  readonly help: boolean
  readonly host: string
  readonly port: number
}

/** What the command line says, or what is wrong with it. */
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
    const simulator = await startSimulator({ host, port, log })
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.close())
    process.stdout.write(`PagerDuty simulator on ${simulator.url}\n`)
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    fail(code === 'EADDRINUSE' ? `another program has port ${port}` : `cannot listen on ${host}: ${code}`)
  }
}

function fail(reason: string): void {
  process.stderr.write(`${reason}\n\n${USAGE}\n`)
  process.exitCode = USAGE_ERROR
}
