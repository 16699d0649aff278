import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../simulator/simulator.ts'
import { CODESHIP_PRO, KEY, type Run } from '../../support/program.ts'
import { runProcess, SCRIPT } from '../../support/shell-script.ts'

/*
 * The recipes of docs/shell-script.md as Codeship Basic runs them: line by line in one bash, the first failure ends it.
 */

const page = readFileSync(new URL('../../../docs/shell-script.md', import.meta.url), 'utf8')
const recipe = (name: string): string =>
  new RegExp(`^\`\`\`sh basic:${name}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ??
  assert.fail(`no recipe ${name}`)

/** What Codeship's script of this name does, by its description: the last command runs however the others end. */
const ENSURE_CALLED = `ensure_called() {
  handler="\${!#}"
  trap "$handler" EXIT
  while [ $# -gt 1 ]; do $1 || exit $?; shift; done
}
`

const simulator = await startSimulator()
const clone = mkdtempSync(join(tmpdir(), 'basic-'))
after(async () => {
  await simulator.close()
  rmSync(clone, { recursive: true })
})
beforeEach(() => simulator.reset())

async function deploy(name: string, deployStatus: number): Promise<Run> {
  copyFileSync(SCRIPT, join(clone, 'pagerduty.sh'))
  const files = {
    'deploy.sh': `#!/bin/sh\nexit ${deployStatus}\n`,
    'notify.sh': recipe('notify.sh'),
    'ensure_called.sh': ENSURE_CALLED,
  }
  for (const [file, text] of Object.entries(files)) {
    writeFileSync(join(clone, file), text)
    chmodSync(join(clone, file), 0o755)
  }
  const lines = recipe(name).trim().split('\n')
  return await runProcess(['bash', '--norc'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...CODESHIP_PRO,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: simulator.url,
    },
    stdin: lines.map((line) => `${line}\n[ $? -eq 0 ] || exit 1\n`).join(''),
    cwd: clone,
  })
}

const sent = (): string[] =>
  simulator.requests.map(({ json }) => (json as { event_action?: string }).event_action ?? 'change')

const CASES: readonly [name: string, deployStatus: number, isGood: boolean, events: string[]][] = [
  ['success', 0, true, ['change', 'resolve']],
  ['failure', 0, true, []],
  ['failure', 3, false, ['trigger']],
  ['run', 0, true, ['change', 'resolve']],
  ['run', 3, false, ['trigger']],
  ['ensure-called', 0, true, ['change', 'resolve']],
  ['ensure-called', 3, false, ['trigger']],
]
for (const [name, deployStatus, isGood, events] of CASES) {
  test(`Codeship Basic, ${name}: a deployment that ends with ${deployStatus}`, async () => {
    const { code, stderr } = await deploy(name, deployStatus)
    assert.equal(code === 0, isGood, stderr)
    assert.deepEqual(sent(), events)
  })
}
