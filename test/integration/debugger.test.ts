import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { BIN, CODESHIP_PRO, KEY } from '../support/program.ts'
import { REST_TOKEN } from '../support/rest.ts'
import { temporaryDirectory } from '../support/spool.ts'

/*
 * Node opens its debugger on 127.0.0.1:9229 when it gets SIGUSR1, and says so on stderr. Anyone who connects can read the key.
 */

const simulator = await startSimulator()
after(() => simulator.close())
beforeEach(() => {
  simulator.reset()
  simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
})

const ENV = {
  ...CODESHIP_PRO,
  PATH: process.env['PATH'] ?? '',
  PAGERDUTY_EVENTS_URL: simulator.url,
  PAGERDUTY_API_URL: simulator.url,
  PAGERDUTY_RELAY_PORT: '0',
}
const DEBUGGER = /Debugger listening/
/** How long Node may take to open the debugger: half of it is far more than enough. */
const OPENING_MS = 500

/** Starts Node, sends SIGUSR1 when it is busy, and returns what it printed. */
async function signalled(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  isBusy: (printed: () => string) => Promise<unknown>,
): Promise<string> {
  const child = spawn(process.execPath, args, { env: { ...ENV, ...env } })
  const ended = once(child, 'close')
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await isBusy(() => printed)
  child.kill('SIGUSR1')
  await sleep(OPENING_MS)
  assert.equal(child.exitCode ?? child.signalCode, null, `it still runs: ${printed}`)
  child.kill('SIGTERM')
  await sleep(OPENING_MS)
  child.kill('SIGKILL')
  await ended
  return printed
}

const isAsking = (): Promise<unknown> => simulator.waitForRequests(1)
const hasPrinted =
  (text: RegExp) =>
  async (printed: () => string): Promise<void> => {
    while (!text.test(printed())) await sleep(20)
  }

const COMMANDS: Readonly<
  Record<string, [args: string[], env: Record<string, string>, isBusy: Parameters<typeof signalled>[2]]>
> = {
  success: [['success'], { PAGERDUTY_TOKEN: KEY }, isAsking],
  failure: [['failure', '--deadline', '60s'], { PAGERDUTY_TOKEN: KEY }, isAsking],
  trigger: [['trigger', '--summary', 's'], { PAGERDUTY_TOKEN: KEY }, isAsking],
  run: [
    [
      'run',
      '--',
      process.execPath,
      '-e',
      'process.on("SIGUSR1",()=>0);console.log("begun");setTimeout(()=>0,20000)',
    ],
    { PAGERDUTY_TOKEN: KEY },
    hasPrinted(/begun/),
  ],
  serve: [['serve'], { PAGERDUTY_TOKEN: KEY }, hasPrinted(/listening on/)],
  doctor: [['doctor'], { PAGERDUTY_TOKEN: KEY }, isAsking],
  gate: [['gate'], { PAGERDUTY_TOKEN: REST_TOKEN, PAGERDUTY_SERVICE_ID: 'PSHOP' }, isAsking],
}
describe('SIGUSR1 opens no debugger', { concurrency: false }, () => {
  for (const [name, [args, env, isBusy]] of Object.entries(COMMANDS)) {
    test(`in ${name}`, async () => {
      assert.doesNotMatch(await signalled([BIN, ...args], env, isBusy), DEBUGGER)
    })
  }
  test('in serve with a spool', async (t) => {
    const env = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_SPOOL: temporaryDirectory(t) }
    assert.doesNotMatch(await signalled([BIN, 'serve'], env, hasPrinted(/listening on/)), DEBUGGER)
  })
  test('in the action, which holds the key while the program runs', async () => {
    const entry = fileURLToPath(new URL('../../action/main.ts', import.meta.url))
    const inputs = { INPUT_TOKEN: KEY, INPUT_STATUS: 'success', INPUT_DEADLINE: '60s' }
    assert.doesNotMatch(await signalled([entry], inputs, isAsking), DEBUGGER)
  })
  test('though it would in a program that does nothing about it', async () => {
    const program = 'console.log("begun");setTimeout(()=>0,20000)'
    assert.match(await signalled(['--inspect-port=0', '-e', program], {}, hasPrinted(/begun/)), DEBUGGER)
  })
})

for (const afterMs of [5, 10, 20, 30, 40]) {
  test(`with --disable-sigusr1, as the image starts it, no debugger opens ${afterMs} ms after the start`, async () => {
    const child = spawn(process.execPath, ['--disable-sigusr1', BIN, 'help'], { env: ENV })
    let printed = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
    const ended = once(child, 'close')
    await sleep(afterMs)
    child.kill('SIGUSR1') // which ends a process that has not come to its first line yet
    await ended
    assert.doesNotMatch(printed, DEBUGGER)
  })
}
