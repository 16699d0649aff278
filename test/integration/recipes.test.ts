import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { parse } from 'yaml'
import { startSimulator } from '../../tools/simulator/simulator.ts'
import { actionsAt } from '../support/basic.ts'
import { readFixture } from '../support/ci-fixtures.ts'
import { BIN, KEY } from '../support/program.ts'
import { runProcess } from '../support/shell-script.ts'

/*
 * The shell lines of docs/recipes.md, each under the variables that its CI sets. What a CI does around them is played
 * here: Jenkins' `post`, Bitbucket's `after-script`.
 */

interface Recipe {
  /** The file of the CI's variables in `test/fixtures/ci`. */
  readonly fixture: string
  /** Where the shell lines are in the YAML, as a path. */
  readonly lines: string
  /** Where the lines are that run however the first ones end. */
  readonly afterwards?: string
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  gitlab: { fixture: 'gitlab-ci', lines: 'deploy script' },
  circleci: { fixture: 'circleci', lines: 'jobs deploy steps 1 run' },
  buildkite: { fixture: 'buildkite', lines: 'steps 0 command' },
  bitbucket: {
    fixture: 'bitbucket-pipelines',
    lines: 'pipelines branches main 0 step script',
    afterwards: 'pipelines branches main 0 step after-script',
  },
  azure: { fixture: 'azure-pipelines', lines: 'steps 0 script' },
  drone: { fixture: 'drone', lines: 'steps 0 commands' },
  woodpecker: { fixture: 'woodpecker', lines: 'steps 0 commands' },
  cloudbees: { fixture: 'cloudbees', lines: 'jobs deploy steps 0 run' },
}

const page = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8')
function recipe(name: string): string {
  return new RegExp(`^\`\`\`\\w+ ${name}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? assert.fail(name)
}

/** The shell lines at a path of a recipe's YAML, as one script that the first failure ends. */
function scriptAt(name: string, path: string): string {
  let node: unknown = parse(recipe(name))
  for (const key of path.split(' ')) node = (node as Record<string, unknown>)[key]
  return ['set -e', ...[node].flat()].join('\n')
}

const simulator = await startSimulator()
const folder = mkdtempSync(join(tmpdir(), 'recipes-'))
/** Stands for npx and the package that it would fetch. */
const NPX = `#!/bin/sh
[ "$1 $2" = '--yes pagerduty-alert' ] || { echo "npx got $*" >&2; exit 1; }
shift 2
exec '${process.execPath}' '${BIN}' "$@"
`
writeFileSync(join(folder, 'npx'), NPX, { mode: 0o755 })
after(async () => {
  await simulator.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => simulator.reset())

/** The variables of a CI, and the file that describes the build if it writes one. */
function variablesOf(fixture: string): Record<string, string> {
  const [env, , event] = readFixture(fixture)[0]!
  const path = join(folder, 'event.json')
  if (event !== undefined) writeFileSync(path, JSON.stringify(event))
  const isPath = (name: string): boolean => event !== undefined && name.endsWith('_EVENT_PATH')
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, isPath(name) ? path : value]))
}

async function runLines(script: string, fixture: string, more: Record<string, string> = {}): Promise<number> {
  const { code, stderr } = await runProcess(['sh', '-c', script], {
    env: {
      ...variablesOf(fixture),
      PATH: [folder, process.env['PATH']].join(delimiter),
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: simulator.url,
      ...more,
    },
    cwd: folder,
  })
  assert.notEqual(code, null, stderr)
  return code!
}

const OUTCOMES = [
  [0, ['change', 'resolve']],
  [3, ['trigger']],
] as const
for (const [deployStatus, events] of OUTCOMES) {
  const deploy = `#!/bin/sh\nexit ${deployStatus}\n`
  for (const [name, { fixture, lines, afterwards }] of Object.entries(RECIPES)) {
    test(`the recipe for ${name} tells PagerDuty of a deployment that ends with ${deployStatus}`, async () => {
      writeFileSync(join(folder, 'deploy.sh'), deploy, { mode: 0o755 })
      assert.equal(await runLines(scriptAt(name, lines), fixture), deployStatus)
      if (afterwards !== undefined) {
        const more = { BITBUCKET_EXIT_CODE: String(deployStatus) }
        assert.equal(await runLines(scriptAt(name, afterwards), fixture, more), 0)
      }
      assert.deepEqual(actionsAt(simulator), events)
    })
  }

  test(`the recipe for jenkins tells PagerDuty of a deployment that ends with ${deployStatus}`, async () => {
    writeFileSync(join(folder, 'deploy.sh'), deploy, { mode: 0o755 })
    const stage = (name: string): string =>
      new RegExp(`${name}\\b.*\\{ sh '([^']+)' \\}`).exec(recipe('jenkins'))?.[1] ?? assert.fail(name)
    assert.equal(await runLines(stage('steps'), 'jenkins'), deployStatus)
    assert.equal(await runLines(stage(deployStatus === 0 ? 'success' : 'failure'), 'jenkins'), 0)
    assert.deepEqual(actionsAt(simulator), events)
  })
}
