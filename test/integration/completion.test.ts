import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runProgram } from '../support/program.ts'
import { skipWithout } from '../support/required.ts'
import { runProcess } from '../support/shell-script.ts'

const env = { PATH: process.env['PATH'] ?? '', HOME: tmpdir() }

/** What bash offers for the words so far; the last one is being typed. */
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

test(
  'bash completes commands, and the options of the command at hand',
  { skip: skipWithout('bash') },
  async () => {
    assert.deepEqual(await offered(['pagerduty-alert', 'fail']), ['failure'])
    assert.deepEqual(await offered(['pagerduty-alert', 'failure', '--dedup']), ['--dedup-key'])
    assert.deepEqual(await offered(['pagerduty-alert', 'failure', '--strict']), [])
    assert.deepEqual(await offered(['pagerduty-alert', 'run', '--str']), ['--strict'])
    assert.deepEqual(await offered(['pagerduty-alert', 'run', '--', '--']), [])
  },
)

/** What a user of zsh finds on the command line after typing text and pressing Tab, which takes the first candidate. */
async function afterTab(typed: string, install: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'zsh-'))
  const { stdout: script } = await runProgram(['completion', 'zsh'])
  const files = {
    '_pagerduty-alert': script,
    'deploy.sh': '#!/bin/sh\n',
    '.zshrc': `${install}
setopt menu_complete no_beep
report() { print -rn -- "$BUFFER" >$ZDOTDIR/line; exit }
zle -N report; bindkey '^G' report
PS1='ready> '`,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o755 })
  const driver = `zmodload zsh/zpty
zpty shell zsh -d -i
zpty -r shell output '*ready> *'
zpty -w -n shell "$1"$'\\t\\a'
while zpty -r shell output; do :; done`
  await runProcess(['zsh', '-f', '-c', driver, 'zsh', typed], {
    env: { ...env, ZDOTDIR: folder, TERM: 'dumb' },
    cwd: folder,
  })
  const line = readFileSync(join(folder, 'line'), 'utf8')
  rmSync(folder, { recursive: true })
  return line
}

const ZSH_INSTALLS = {
  'sourced after compinit': 'autoload -Uz compinit && compinit -u -D && source $ZDOTDIR/_pagerduty-alert',
  'found in fpath': 'fpath=($ZDOTDIR $fpath); autoload -Uz compinit && compinit -u -D',
}
for (const [name, install] of Object.entries(ZSH_INSTALLS)) {
  test(
    `zsh completes commands, options, files and commands to run, ${name}`,
    { skip: skipWithout('zsh') },
    async () => {
      for (const [typed, completed] of [
        ['pagerduty-alert fail', 'pagerduty-alert failure '],
        ['pagerduty-alert run', 'pagerduty-alert run '],
        ['pagerduty-alert --ver', 'pagerduty-alert --version '],
        ['pagerduty-alert failure --dedup', 'pagerduty-alert failure --dedup-key '],
        ['pagerduty-alert failure --strict', 'pagerduty-alert failure --strict'],
        ['pagerduty-alert --quiet run --str', 'pagerduty-alert --quiet run --strict '],
        ['pagerduty-alert send dep', 'pagerduty-alert send deploy.sh '],
        ['pagerduty-alert run -- ./dep', 'pagerduty-alert run -- ./deploy.sh '],
        ['pagerduty-alert run -- --str', 'pagerduty-alert run -- --str'],
      ] as const)
        assert.equal(await afterTab(typed, install), completed)
      assert.match(await afterTab('pagerduty-alert run --', install), /^pagerduty-alert run --[a-z]/)
    },
  )
}

/** What fish offers for a command line, without the descriptions. */
async function offeredByFish(line: string): Promise<string[]> {
  const { stdout: script } = await runProgram(['completion', 'fish'])
  const { stdout, stderr } = await runProcess(
    ['fish', '--no-config', '-c', 'printf %s $argv[1] | source; complete -C $argv[2]', script, line],
    { env },
  )
  assert.equal(stderr, '')
  return stdout.split('\n').flatMap((candidate) => candidate.split('\t')[0] || [])
}

test(
  'fish completes commands, and the options of the command at hand',
  { skip: skipWithout('fish') },
  async () => {
    for (const [line, candidates] of [
      ['pagerduty-alert fa', ['failure']],
      ['pagerduty-alert --', ['--help', '--version']],
      ['pagerduty-alert failure --dedup', ['--dedup-key']],
      ['pagerduty-alert failure --strict', []],
      ['pagerduty-alert failure --h', ['--help']],
      ['pagerduty-alert run --str', ['--strict']],
      ['pagerduty-alert run -- --', []],
    ] as const)
      assert.deepEqual(await offeredByFish(line), candidates)
  },
)

test('another shell is refused', async () => {
  assert.equal((await runProgram(['completion', 'tcsh'])).code, 64)
  assert.equal((await runProgram(['completion'])).code, 64)
})
