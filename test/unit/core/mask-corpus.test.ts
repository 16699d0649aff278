import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { maskOutput } from '../../../src/core/mask-output.ts'
import { LOOK_ALIKES } from '../../support/look-alikes.ts'
import { SECRET_FORMS } from '../../support/secret-forms.ts'

/** A shorter piece is found in other words, too. */
const PIECE_CHARS = 8

test('the corpus is as large as it is meant to be', () => {
  assert.ok(
    SECRET_FORMS.length >= 200 && new Set(SECRET_FORMS.map(({ name }) => name)).size === SECRET_FORMS.length,
  )
  assert.ok(LOOK_ALIKES.length >= 170 && new Set(LOOK_ALIKES).size === LOOK_ALIKES.length)
})

describe('nothing is left of a secret in any form', () => {
  for (const { name, text, secret } of SECRET_FORMS) {
    test(name, () => {
      for (const output of [text, `x\n${text}\ny`, `\t${text}`]) {
        const masked = maskOutput(output, [])
        const size = Math.min(PIECE_CHARS, secret.length)
        for (let at = 0; at + size <= secret.length; at++) {
          const piece = secret.slice(at, at + size)
          assert.ok(!masked.includes(piece) || text.replace(secret, '').includes(piece), masked)
        }
        assert.ok(masked.includes('[masked]'))
      }
    })
  }
})

describe('what looks like a secret stays', () => {
  for (const text of LOOK_ALIKES) test(text.slice(0, 60), () => assert.equal(maskOutput(text, []), text))
})

test('what stands around a secret stays', () => {
  assert.equal(
    maskOutput('start\nDB_PASS=hunter2 user=app {"token":"x1y2","a":1}\nend', []),
    'start\nDB_PASS=[masked] user=app {"token":"[masked]","a":1}\nend',
  )
})
