import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runProgram } from '../support/program.ts'
import { runProcess } from '../support/shell-script.ts'

const env = { PATH: process.env['PATH'] ?? '', HOME: tmpdir() }

async function has(shell: string): Promise<boolean> {
  return (await runProcess(['sh', '-c', `command -v ${shell}`], { env })).code === 0
}

/** What bash offers for the words so far, the last of which is being typed. */
async function offered(words: readonly string[]): Promise<string[]> {
  const { stdout: script } = await runProgram(['completion', 'bash'])
  const { stdout, stderr } = await runProcess(
    [
      'bash',
      '--norc',
      '-c',
      `${script}\nCOMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _pagerduty_alert; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      ...words,
    ],
    { env },
  )
  assert.equal(stderr, '')
  return stdout.split('\n').filter(Boolean)
}

test('bash completes commands, and the options of the command at hand', async () => {
  assert.deepEqual(await offered(['pagerduty-alert', 'fail']), ['failure'])
  assert.deepEqual(await offered(['pagerduty-alert', 'failure', '--dedup']), ['--dedup-key'])
  assert.deepEqual(await offered(['pagerduty-alert', 'failure', '--strict']), [])
  assert.deepEqual(await offered(['pagerduty-alert', 'run', '--str']), ['--strict'])
  assert.deepEqual(await offered(['pagerduty-alert', 'run', '--', '--']), [])
})

for (const shell of ['zsh', 'fish']) {
  test(
    `${shell} can read its completion`,
    { skip: (await has(shell)) ? false : `${shell} is not installed` },
    async () => {
      const { stdout: script, code } = await runProgram(['completion', shell])
      assert.equal(code, 0)
      const file = join(tmpdir(), `completion-${process.pid}.${shell}`)
      writeFileSync(file, script)
      const { code: status, stderr } = await runProcess([shell, '-n', file], { env })
      rmSync(file)
      assert.deepEqual([status, stderr], [0, ''])
    },
  )
}

test('another shell is refused', async () => {
  assert.equal((await runProgram(['completion', 'tcsh'])).code, 64)
  assert.equal((await runProgram(['completion'])).code, 64)
})
