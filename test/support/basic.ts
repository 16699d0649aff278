import assert from 'node:assert/strict'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Simulator } from '../../tools/simulator/simulator.ts'
import { SCRIPT } from './shell-script.ts'

/*
 * The recipes of docs/shell-script.md as Codeship Basic runs them: line by line in one bash, the first failure ends it.
 */

const page = readFileSync(new URL('../../docs/shell-script.md', import.meta.url), 'utf8')

function recipe(name: string): string {
  const [, text] = new RegExp(`^\`\`\`sh basic:${name}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page) ?? []
  return text ?? assert.fail(`no recipe ${name}`)
}

/** What Codeship's script of this name does, by its description: the last command runs however the others end. */
const ENSURE_CALLED = `ensure_called() {
  handler="\${!#}"
  trap "$handler" EXIT
  while [ $# -gt 1 ]; do $1 || exit $?; shift; done
}
`

/** A recipe, how its deployment ends, whether the build is good, and the events that PagerDuty gets. */
export const BASIC_CASES: readonly [
  recipe: string,
  deployStatus: number,
  isGood: boolean,
  events: string[],
][] = [
  ['success', 0, true, ['change', 'resolve']],
  ['failure', 0, true, []],
  ['failure', 3, false, ['trigger']],
  ['run', 0, true, ['change', 'resolve']],
  ['run', 3, false, ['trigger']],
  ['ensure-called', 0, true, ['change', 'resolve']],
  ['ensure-called', 3, false, ['trigger']],
]

/** Makes the clone of a project whose deployment ends with a status; the caller removes it. */
export function basicClone(deployStatus: number): string {
  const clone = mkdtempSync(join(tmpdir(), 'basic-'))
  chmodSync(clone, 0o755)
  copyFileSync(SCRIPT, join(clone, 'pagerduty.sh'))
  const files = {
    'deploy.sh': `#!/bin/sh\nexit ${deployStatus}\n`,
    'notify.sh': recipe('notify.sh'),
    'ensure_called.sh': ENSURE_CALLED,
  }
  for (const [file, text] of Object.entries(files)) writeFileSync(join(clone, file), text, { mode: 0o755 })
  return clone
}

/** What Codeship types into bash for a recipe's lines. */
export function basicSession(name: string): string {
  const lines = recipe(name).trim().split('\n')
  return lines.map((line) => `${line}\n[ $? -eq 0 ] || exit 1\n`).join('')
}

/** The actions of the events that a PagerDuty got, `change` for a change event. */
export function actionsAt(simulator: Simulator): string[] {
  return simulator.requests.map(({ json }) => (json as { event_action?: string }).event_action ?? 'change')
}
