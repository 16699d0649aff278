import assert from 'node:assert/strict'
import { test } from 'node:test'
import { split } from 'shlex'
import { parseCommandLine } from '../../../src/cli/args.ts'
import { COMMANDS } from '../../../src/cli/command-table.ts'
import { helpText } from '../../../src/cli/help.ts'
import { describeSetting } from '../../../src/config/setting.ts'
import { SETTING_LIST } from '../../../src/config/settings.ts'
import { EXIT_CODE, Failure } from '../../../src/core/failure.ts'

const PAGES = [undefined, ...Object.keys(COMMANDS)].map(helpText)

test('the overview says where the project is, shows an example, and names every command and exit status', () => {
  const text = helpText(undefined)
  for (const name of Object.keys(COMMANDS)) assert.match(text, new RegExp(`^  ${name} `, 'm'))
  for (const status of Object.values(EXIT_CODE)) assert.match(text, new RegExp(`^  ${status} `, 'm'))
  assert.match(text, /^https:\/\/github\.com\/\S+$/m)
  const [, example = ''] = /^Example:\n(?: {2}export .*\n) {2}pagerduty-alert (.*)$/m.exec(text) ?? []
  assert.doesNotThrow(() => parseCommandLine(split(example)))
  assert.ok(text.split('\n').length <= 60, 'it fits a screen')
})

test('no line is wider than 100 characters', () => {
  for (const line of PAGES.join('\n').split('\n')) assert.ok(line.length <= 100, line)
})

test('each command has a page with an example, and every option and variable is on one of them', () => {
  for (const name of Object.keys(COMMANDS)) assert.match(helpText(name), /Example:\n {2}\S/)
  const pages = PAGES.slice(1).join('')
  for (const { option, variable } of SETTING_LIST) {
    if (option) assert.match(pages, new RegExp(`^  --${option}\\b`, 'm'))
    if (variable) assert.ok(pages.includes(variable), variable)
  }
})

test('no page has a title with nothing under it', () => {
  for (const page of PAGES) assert.doesNotMatch(page, /:\n\n/)
})

test('a page wraps the text of an option, and repeats nothing and loses nothing', () => {
  const page = helpText('run').replaceAll(/\s+/g, ' ')
  for (const setting of SETTING_LIST) {
    const { option, group } = setting
    if (option && group === 'run') assert.equal(page.split(describeSetting(setting)).length, 2, option)
  }
})

test('help for an unknown command is a usage error', () => {
  assert.throws(
    () => helpText('nope'),
    (error) =>
      error instanceof Failure &&
      error.kind === 'usage' &&
      error.message.startsWith('unknown command nope; expected one of'),
  )
})
