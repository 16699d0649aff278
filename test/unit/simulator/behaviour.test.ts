import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BEHAVIOUR, createPlaybook, type Behaviour } from '../../../tools/simulator/behaviour.ts'

const answer = (status: number): Behaviour => ({ kind: 'answer', status })
const ALERTS = '/v2/enqueue'
const CHANGES = '/v2/change/enqueue'

test('counted instructions are used up in order, then everything is as usual', () => {
  const playbook = createPlaybook()
  playbook.add({ times: 2, behaviour: answer(429) })
  playbook.add({ times: 1, behaviour: answer(500) })
  const taken = [1, 2, 3, 4].map(() => playbook.take(ALERTS))
  assert.deepEqual(taken, [answer(429), answer(429), answer(500), { kind: 'usual' }])
})

test('an instruction for one endpoint waits for it while others pass', () => {
  const playbook = createPlaybook()
  playbook.add({ endpoint: CHANGES, times: 1, behaviour: answer(500) })
  assert.deepEqual(playbook.take(ALERTS), { kind: 'usual' })
  assert.deepEqual(playbook.take(CHANGES), answer(500))
  assert.deepEqual(playbook.take(CHANGES), { kind: 'usual' })
})

test('an instruction without a count applies after the counted ones, until a newer one', () => {
  const playbook = createPlaybook()
  playbook.add({ behaviour: answer(500) })
  playbook.add({ times: 1, behaviour: answer(429) })
  assert.deepEqual(
    [playbook.take(ALERTS), playbook.take(ALERTS), playbook.take(CHANGES)],
    [429, 500, 500].map(answer),
  )
  playbook.add({ endpoint: ALERTS, behaviour: { kind: 'usual' } })
  assert.deepEqual([playbook.take(ALERTS), playbook.take(CHANGES)], [{ kind: 'usual' }, answer(500)])
})

test('a cleared playbook is as usual', () => {
  const playbook = createPlaybook()
  playbook.add({ behaviour: answer(500) })
  playbook.add({ times: 1, behaviour: answer(429) })
  playbook.clear()
  assert.deepEqual(playbook.take(ALERTS), { kind: 'usual' })
})

test('a behaviour that is misspelt is refused', () => {
  for (const wrong of [
    { kind: 'hang' },
    { kind: 'answer', status: 99 },
    { kind: 'close', delay: 1 },
    {},
    null,
  ]) {
    assert.equal(BEHAVIOUR.safeParse(wrong).success, false, JSON.stringify(wrong))
  }
})
