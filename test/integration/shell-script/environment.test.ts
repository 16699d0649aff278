import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { skipWithout } from '../../support/required.ts'
import { runProcess, SCRIPT, SHELLS } from '../../support/shell-script.ts'

/*
 * The command of `pagerduty.sh run` gets the environment that a script of one line would give it under the same shell: each
 * shell sets some variables itself, such as PWD and SHLVL.
 */

const folder = mkdtempSync(join(tmpdir(), 'environment-'))
after(() => rmSync(folder, { recursive: true }))
const plain = join(folder, 'plain.sh')
writeFileSync(plain, 'env -0; exit 0\n')

/** Names that the script uses itself, that shells give a meaning to, and those that are not names to them. */
const NAMES = `LC_ALL VERSION STATUS_WORDS attempt body cancelled child clear code command connect content count delay direct
  dry_run failure hash key keys left list mode name outcome reason relay relay_token secret signal started_at status tab timeout
  took trimmed url value window words work worst http_proxy HTTP_PROXY PS4 CDPATH FOO-BAR a.b`

const ENV = {
  ...Object.fromEntries(NAMES.split(/\s+/).map((name, index) => [name, `${index}: a "b" $c\n'd' *`])),
  IFS: ':',
  BASH_ENV: '/nowhere',
  'BASH_FUNC_say%%': '() {  echo mine\n}',
  'BASH_FUNC_send%%': '() {  echo mine\n}',
  PATH: process.env['PATH'] ?? '',
  PAGERDUTY_EVENTS_URL: 'http://127.0.0.1:9',
  PAGERDUTY_DEADLINE: '1s',
  PAGERDUTY_TOKEN: 'nonsense',
  CI_REPO_NAME: 'acme/shop',
}

/** What the shell itself changes from one process to the next. */
function lines(environment: string): string[] {
  return environment
    .split('\0')
    .filter((line) => line !== '' && !line.startsWith('_='))
    .toSorted()
}

const INTERPRETERS = { ...SHELLS, zsh: ['zsh', '--emulate', 'sh'] } as const
for (const [shell, interpreter] of Object.entries(INTERPRETERS)) {
  const skip = skipWithout(interpreter[0])
  test(`${shell}: the command of run gets exactly the environment of its caller`, { skip }, async () => {
    const expected = await runProcess([...interpreter, plain], { env: ENV })
    for (const args of [[], ['--environment', 'production', '--severity=info', '--']]) {
      const { stdout, code } = await runProcess([...interpreter, SCRIPT, 'run', ...args, 'env', '-0'], {
        env: ENV,
      })
      assert.equal(code, 0)
      assert.deepEqual(lines(stdout), lines(expected.stdout))
      assert.ok(lines(stdout).length > 50)
    }
  })

  test(`${shell}: the command of run is a program, no function of the script`, { skip }, async () => {
    for (const name of ['usage', 'trim', 'mask', 'report']) {
      const { code } = await runProcess([...interpreter, SCRIPT, 'run', name], { env: ENV })
      assert.equal(code, 127, name)
    }
  })

  test(
    `${shell}: run is not taken for a command if it is only a value`,
    { skip: skip || skipWithout('curl', 'jq') },
    async () => {
      const { code, stdout } = await runProcess(
        [...interpreter, SCRIPT, '--dry-run', 'change', '--summary', 'run 1 env'],
        { env: { ...ENV, PAGERDUTY_TOKEN: '' } },
      )
      assert.equal(code, 0)
      assert.match(stdout, /"summary":"run 1 env"/)
    },
  )
}
