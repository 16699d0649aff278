import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startLeakServers } from '../support/leak-servers.ts'
import { LEAK_FAILURES, type LeakFailure, type Scene } from '../support/leak-failures.ts'
import { DRY_RUN, LEAK_COMMANDS, PRINTINGS, type LeakCommand } from '../support/leak-commands.ts'
import { findMarkers, findMarkersInFiles, MARKERS, watchArguments } from '../support/markers.ts'
import { CODESHIP_PRO, startProgram, type Run } from '../support/program.ts'

const LOOK_EVERY_MS = 50
/** Much more than the deadline of each run, even on a busy machine. */
const LONGEST_MS = 30_000

/** If a failure sets no address, or one that is refused, PagerDuty's own must not be reached. */
const NOWHERE = {
  PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:1',
  PAGERDUTY_API_URL: 'http://127.0.0.1:1',
  HTTPS_PROXY: 'http://127.0.0.1:1',
}

const DRY_RUNNERS = LEAK_COMMANDS.filter(({ takesNoDryRun }) => takesNoDryRun !== true)

const directory = mkdtempSync(join(tmpdir(), 'leaks-'))
const secrets = join(directory, 'secrets')
let servers: Awaited<ReturnType<typeof startLeakServers>>
let stopWatching: ReturnType<typeof watchArguments>
const statuses = new Set<number | null>()
let planned = 0
let runs = 0

before(async () => {
  mkdirSync(secrets)
  servers = await startLeakServers()
  stopWatching = watchArguments(LOOK_EVERY_MS)
})
after(async () => {
  await servers.close()
  rmSync(directory, { recursive: true, force: true })
})

describe('no secret shows, in no form', { concurrency: 8 }, () => {
  for (const [row, failure] of LEAK_FAILURES.entries()) {
    for (const [column, command] of LEAK_COMMANDS.entries()) {
      if ((row + column) % failure.everyCommand !== 0) continue
      // Every command and every failure meets every way of printing, though not in every combination.
      const printing = PRINTINGS[(row + column) % PRINTINGS.length] ?? DRY_RUN
      planned += 1
      test(`${command.name} ${printing.args.join(' ')} with ${JSON.stringify(printing.env)} meets ${failure.name}`, () =>
        check(command, failure, printing))
    }
    const command = DRY_RUNNERS[row % DRY_RUNNERS.length]
    if (command === undefined) continue
    planned += 1
    test(`${command.name} --dry-run meets ${failure.name}`, () => check(command, failure, DRY_RUN))
  }
})

test('the campaign met every way to end, and the secrets are in no arguments', () => {
  const { found, looks } = stopWatching()
  assert.deepEqual(found, [])
  assert.ok(looks > 0 || process.platform !== 'linux')
  assert.deepEqual([...statuses].toSorted(byNumber), [0, 1, 3, 64, 65, 70, 75, 78])
  assert.equal(runs, planned)
})

const byNumber = (a: number | null, b: number | null): number => Number(a) - Number(b)

async function check(
  command: LeakCommand,
  failure: LeakFailure,
  printing: (typeof PRINTINGS)[number],
): Promise<void> {
  const own = mkdtempSync(join(directory, 'run-'))
  const scene = { own, secrets: mkdtempSync(join(secrets, 'of-')), ports: servers.ports }
  const run = await meet(command, failure, printing, scene)
  runs += 1
  statuses.add(run.code)
  assert.notEqual(run.code, null, 'it ends on its own')
  assert.deepEqual(findMarkers(run.stdout + run.stderr), [], `${run.stdout}${run.stderr}`)
  assert.deepEqual(findMarkersInFiles(own), [])
}

async function meet(
  { args, stdin, watched }: LeakCommand,
  failure: LeakFailure,
  printing: (typeof PRINTINGS)[number],
  scene: Scene,
): Promise<Run> {
  const rest = watched === undefined ? [] : ['--', ...watched]
  const program = startProgram([...args, ...printing.args, ...rest], {
    cwd: scene.own,
    stdin: (stdin !== undefined && failure.stdin) || (stdin ?? ''),
    env: {
      ...CODESHIP_PRO,
      ...NOWHERE,
      TMPDIR: scene.own,
      PAGERDUTY_ROUTING_KEY: `first=${MARKERS.routingKey},${MARKERS.secondKey}`,
      PAGERDUTY_API_TOKEN: MARKERS.restToken,
      PAGERDUTY_RELAY_TOKEN: MARKERS.relayToken,
      PAGERDUTY_RELAY_VIEW_TOKEN: MARKERS.viewToken,
      PAGERDUTY_HOOK_SECRET: MARKERS.hookSecret,
      PAGERDUTY_SERVICE_ID: 'PSHOP',
      PAGERDUTY_DEADLINE: '1500ms',
      ...printing.env,
      ...failure.env(scene),
    },
  })
  const timer = setTimeout(() => program.child.kill('SIGKILL'), LONGEST_MS)
  const run = await program.ended
  clearTimeout(timer)
  return run
}
