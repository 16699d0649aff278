import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/*
 * Entry of the GitHub Action: inputs become the variables of the same name, the report becomes outputs. No shell is
 * involved, so that no input is ever read as code. The program itself is the bundle beside it.
 */

process.on('SIGUSR1', () => undefined) // without a listener Node would open its debugger

const COMMANDS: readonly string[] = ['success', 'failure', 'change', 'trigger', 'acknowledge', 'resolve']

const inputs = Object.entries(process.env).flatMap(([name, value = '']): [string, string][] =>
  name.startsWith('INPUT_') && value.trim() !== '' ? [[name.slice('INPUT_'.length), value]] : [],
)
const command = inputs.find(([name]) => name === 'COMMAND')?.[1].trim()
if (command !== undefined && !COMMANDS.includes(command)) {
  process.stderr.write(`pagerduty-alert: error: command: must be one of ${COMMANDS.join(', ')}\n`)
  process.exit(64)
}
const settings = inputs
  .filter(([name]) => name !== 'COMMAND')
  .map(([name, value]): [string, string] => [`PAGERDUTY_${name.replaceAll('-', '_')}`, value])

const program = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const { status, stdout } = spawnSync(
  process.execPath,
  [program, ...(command === undefined ? [] : [command]), '--json'],
  {
    env: { ...process.env, ...Object.fromEntries<string>(settings) },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  },
)
writeOutputs(stdout)
process.exitCode = status ?? 70

interface Report {
  readonly outcome: string
  readonly events: readonly { readonly dedup_key?: string }[]
}

function writeOutputs(line: string): void {
  const file = process.env['GITHUB_OUTPUT']
  if (file === undefined || line === '') return
  const { outcome, events } = JSON.parse(line) as Report
  const outputs = {
    outcome,
    'dedup-key': events.find((event) => event.dedup_key !== undefined)?.dedup_key ?? '',
  }
  for (const [name, value] of Object.entries(outputs)) {
    // A delimiter that nobody can guess keeps a value from becoming an output of its own.
    const delimiter = randomUUID()
    appendFileSync(file, `${name}<<${delimiter}\n${value}\n${delimiter}\n`)
  }
}
