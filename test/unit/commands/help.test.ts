import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COMMANDS } from '../../../src/commands/catalog.ts'
import { helpText } from '../../../src/commands/help.ts'
import { SETTING_LIST } from '../../../src/config/settings.ts'
import { Failure } from '../../../src/core/failure.ts'

test('the overview names every command and every option', () => {
  const text = helpText(undefined)
  for (const name of Object.keys(COMMANDS)) assert.match(text, new RegExp(`^  ${name} `, 'm'))
  for (const { option } of SETTING_LIST) if (option) assert.ok(text.includes(`--${option}`), option)
})

test('each command has a page with an example, and the variables beside the options', () => {
  for (const name of Object.keys(COMMANDS)) assert.match(helpText(name), /Example:\n {2}\S/)
  const pages = Object.keys(COMMANDS).map(helpText).join('')
  for (const { variable } of SETTING_LIST) if (variable) assert.ok(pages.includes(variable), variable)
})

test('help for an unknown command is a usage error', () => {
  assert.throws(
    () => helpText('nope'),
    (error) => error instanceof Failure && error.kind === 'usage',
  )
})
