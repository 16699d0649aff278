import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseForm } from '../../../src/relay/parse-form.ts'

test('a form becomes members, and a repeated name becomes a list', () => {
  assert.deepEqual(parseForm('summary=a+b%26&links=x&links=y&blank=&flag'), {
    members: { summary: 'a b&', links: ['x', 'y'], blank: '', flag: '' },
  })
})

test('a form with more fields than anybody needs is refused before it is decoded', () => {
  for (const field of ['&', 'a&', `a=${'%20'.repeat(5)}&`])
    assert.deepEqual(parseForm(field.repeat(10_000)), { problem: 'the form has more than 1000 fields' })
})

test('a member may have any name', () => {
  const form = parseForm('__proto__=1&constructor=2')
  assert.ok('members' in form && Object.hasOwn(form.members, '__proto__'))
})

test('a form is read as URLSearchParams reads it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 100 }), (fields) => {
      const params = new URLSearchParams(fields)
      const form = parseForm(params.toString())
      assert.ok('members' in form)
      for (const name of new Set(params.keys())) {
        const all = params.getAll(name)
        const own = Object.getOwnPropertyDescriptor(form.members, name)?.value as unknown
        assert.deepEqual(own, all.length === 1 ? all[0] : all)
      }
    }),
  )
})
