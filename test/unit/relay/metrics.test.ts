import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { createTally } from '../../../src/relay/metrics.ts'

test('counts are reported at every scrape, separately by their labels', async () => {
  const registry = new Registry()
  const count = createTally({
    name: 'doors_total',
    help: 'Doors.',
    labelNames: ['colour', 'size'],
    registers: [registry],
  })
  const series = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('doors_total{'))
  assert.deepEqual(await series(), [])
  count(0, 'red', 'large')
  count(2, 'green', 'small')
  count(1, 'green', 'small')
  const expected = ['doors_total{colour="red",size="large"} 0', 'doors_total{colour="green",size="small"} 3']
  assert.deepEqual(await series(), expected)
  assert.deepEqual(await series(), expected, 'asking counts nothing')
  count(4, 'red', 'large')
  assert.deepEqual((await series())[0], 'doors_total{colour="red",size="large"} 4')
})
