import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { prepareStart, readInputs } from './environment.ts'
import { whyWithoutSecrets } from './without-secrets.ts'

/*
 * Entry of the GitHub Action: inputs become the variables of the same name, the report becomes outputs. No shell is
 * involved, so that no input is ever read as code. The program itself is the bundle beside it.
 */

process.on('SIGUSR1', () => undefined) // without a listener Node would open its debugger

const COMMANDS: readonly string[] = [
  'success',
  'failure',
  'started',
  'change',
  'trigger',
  'acknowledge',
  'resolve',
]

const inputs = readInputs(process.env)
const command = inputs.get('COMMAND')?.trim()
const { env, args } = prepareStart(process.env, inputs)
const reason = whyWithoutSecrets(env)

if (command !== undefined && !COMMANDS.includes(command)) {
  process.stderr.write(`pagerduty-alert: error: command: must be one of ${COMMANDS.join(', ')}\n`)
  process.exitCode = 64
} else if (reason === undefined) {
  const program = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
  const { status, stdout } = spawnSync(process.execPath, [program, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (stdout !== '') writeReport(stdout)
  process.exitCode = status ?? 70
} else {
  process.stdout.write(`::notice title=PagerDuty alert::Nothing is sent: there is no token, and ${reason}\n`)
  writeOutputs({ outcome: 'skipped', 'dedup-key': '' })
}

interface Report {
  readonly outcome: string
  readonly events: readonly { readonly dedup_key?: string }[]
}

function writeReport(line: string): void {
  const { outcome, events } = JSON.parse(line) as Report
  const dedupKey = events.find((event) => event.dedup_key !== undefined)?.dedup_key ?? ''
  writeOutputs({ outcome, 'dedup-key': dedupKey })
}

function writeOutputs(outputs: Readonly<Record<string, string>>): void {
  const file = process.env['GITHUB_OUTPUT']
  if (file === undefined) return
  for (const [name, value] of Object.entries(outputs)) {
    // A random delimiter keeps a value from becoming another output.
    const delimiter = randomUUID()
    appendFileSync(file, `${name}<<${delimiter}\n${value}\n${delimiter}\n`)
  }
}
