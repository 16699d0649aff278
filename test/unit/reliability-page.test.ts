import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matrixCounts } from '../support/faults.ts'
import { formatCount, readFigure } from '../support/figures.ts'

test('docs/reliability.md has the counts of the fault matrix; `npm run figures` writes them', () => {
  for (const [name, count] of Object.entries(matrixCounts()))
    assert.equal(readFigure(`matrix ${name}`), formatCount(count), name)
})

test('docs/reliability.md says what the fault matrix measured', () => {
  for (const name of ['requests', 'retries']) assert.match(readFigure(`matrix ${name}`) ?? '', /^[\d,]+$/)
  assert.match(readFigure('matrix overrun') ?? '', /^\d+\.\d s$/)
})

test('docs/reliability.md says how soon a run ends', () => {
  assert.match(readFigure('ends after its last answer') ?? '', /^\d+ ms$/)
})

test('docs/reliability.md says what the chaos test counted', () => {
  for (const name of ['kills', 'accepted', 'requests', 'repeated'])
    assert.match(readFigure(`chaos ${name}`) ?? '', /^[\d,]+$/, name)
})

test('docs/reliability.md says what the soak measured', () => {
  for (const name of ['events', 'attempts']) assert.match(readFigure(`soak ${name}`) ?? '', /^[\d,]+$/, name)
  for (const name of ['accepting', 'delivering'])
    assert.match(readFigure(`soak ${name}`) ?? '', /^\d+ s$/, name)
  for (const name of ['start', 'median', 'peak', 'end'])
    assert.match(readFigure(`soak ${name}`) ?? '', /^\d+ MB$/, name)
})

test('docs/reliability.md says what a large spool costs, and how fast one key is', () => {
  for (const name of ['start', 'first delivery', 'accept', 'list', 'metrics', 'retry'])
    assert.match(readFigure(`scale ${name}`) ?? '', /^\d+ ms$/, name)
  for (const name of ['events', 'keys']) assert.match(readFigure(`scale ${name}`) ?? '', /^[\d,]+$/, name)
  assert.match(readFigure('scale memory') ?? '', /^\d+ MB$/)
  assert.match(readFigure('throughput of one key') ?? '', /^[\d,]+$/)
})

test('docs/reliability.md says how fast the page is, and what it costs', () => {
  for (const name of ['1000 events', '10000 events', 'change median', 'change slowest'])
    assert.match(readFigure(`page ${name}`) ?? '', /^\d+ ms$/, name)
  for (const name of ['idle memory', 'memory with 100 viewers'])
    assert.match(readFigure(`page ${name}`) ?? '', /^\d+ MB$/, name)
  assert.match(readFigure('page throughput with 10 viewers') ?? '', /^\d\.\d\d$/)
})
