import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { growthChart } from '../../../bench/chart.ts'
import type { Figures } from '../../../bench/figures.ts'
import { performancePage } from '../../../bench/page.ts'
import { RUN_CASES } from '../../../bench/run.ts'
import { missedText } from '../../../bench/results.ts'
import { isMet, show } from '../../../bench/target.ts'
import { targetsOf } from '../../../bench/targets.ts'

const NOTHING: Figures = {
  machine: {
    date: new Date('2026-03-01T12:00:00Z'),
    processor: 'A Processor',
    cores: 2,
    memoryGb: 24,
    kernel: 'Linux 6.1',
    nodeVersion: 'v24.0.0',
    loadAverage: 0.25,
  },
  idle: undefined,
  http: undefined,
  https: undefined,
  far: undefined,
  isFarByPacket: true,
  run: undefined,
  runEnding: undefined,
  relayLoad: undefined,
  callers: undefined,
  curls: undefined,
  deliveryRate: undefined,
  sections: [],
  container: undefined,
  growth: [],
  failed: [],
}

const FIGURES: Figures = {
  ...NOTHING,
  idle: {
    costs: [
      { name: 'node -e 0', times: [30, 60, 30], peakMb: 40 },
      { name: 'pagerduty-alert --help', times: [33, 66, 33], peakMb: 48 },
    ],
    missing: [],
  },
  far: {
    costs: [
      { name: 'node -e 0', times: [30] },
      { name: 'pagerduty-alert failure', times: [260] },
      { name: 'bash + curl', times: [200] },
    ],
    missing: ['pagerduty-cli'],
  },
  relayLoad: [
    { name: 'Fastify + undici, passthrough', rates: [10_000], p99sMs: [9], idleMb: 80, peakMb: 250 },
    { name: 'serve with a spool, accepting', rates: [15_000], p99sMs: [6], idleMb: 76, peakMb: 150 },
  ],
  run: [
    { name: RUN_CASES.nothing, bareMs: [5], watchedMs: [65] },
    { name: 'flood', bareMs: [205], watchedMs: [365] },
  ],
  deliveryRate: 1234.5,
  sections: [
    {
      title: 'Masking',
      note: 'A note.',
      facts: [
        {
          name: 'one',
          unit: 'MB/s',
          values: [3, 1, 2],
          target: { limit: 2.5, isLeast: true, floor: 'none' },
        },
        { name: 'two', unit: '', values: [0.5], remark: 'so it is' },
      ],
    },
  ],
  growth: [
    {
      name: 'filling a spool',
      unit: 'events pending',
      points: [1, 10, 100].map((size) => ({ size, cost: size })),
    },
  ],
  failed: [{ name: 'containers', reason: 'it broke\nin many lines' }],
}

const page = performancePage([FIGURES])

test('every target is listed, with what was measured and whether that meets it', () => {
  for (const { what } of targetsOf(FIGURES)) assert.ok(page.includes(`| ${what} |`), what)
  assert.match(page, /^\| `--help` ÷ `node -e 0` \| ≤ 1\.12 \| 1\.10 \| met \|$/m)
  assert.match(
    page,
    /^\| One event over HTTPS and 50 ms ÷ bash \+ curl \| ≤ 1\.2 \| 1\.30 \| \*\*missed\*\*; floor: /m,
  )
  assert.match(page, /^\| Relay, durable, accepted a second .* \| ≥ 1\.4 \| 1\.50 \| met \|$/m)
  assert.match(page, /^\| Delivered per second .* \| ≥ 500 \| 1,235 \| met \|$/m)
  assert.match(page, /^\| `--dry-run` .* \| not measured \|  \|$/m)
})

test('tables have medians, and the ratios of each round', () => {
  assert.match(page, /^\| pagerduty-alert --help \| 33 \| 1\.10 \| 1\.20 \|$/m)
  assert.match(
    page,
    /^\| what it prints .*\n.*\n.*nothing.* \| 5 \| 65 \| 13\.00 \|  \|\n\| flood \| 205 \| 365 \| 1\.78 \| 1\.50 \|$/m,
  )
  assert.match(page, /^\| serve with a spool, accepting \| 15,000 \| 1\.50 \| 6\.0 \| 76 \| 150 \|$/m)
  assert.match(page, /^### filling a spool: exponent 1\.00$/m)
})

test('a section of single figures is a table, and those with a target are among the targets', () => {
  assert.match(
    page,
    /^## Masking\n\nA note\.\n\n.*\n.*\n\| one \| 2\.00 MB\/s \|  \|\n\| two \| 0\.500 \| so it is \|$/m,
  )
  assert.match(page, /^\| one, MB\/s \| ≥ 2\.5 \| 2\.00 \| \*\*missed\*\*; floor: none \|$/m)
  assert.doesNotMatch(page, /least and most/)
})

test('of several runs the medians count, and each target shows how much they differ', () => {
  const runs = [1000, 1500, 900].map((deliveryRate): Figures => ({ ...FIGURES, deliveryRate }))
  const merged = performancePage([...runs, { ...NOTHING, failed: [{ name: 'one key', reason: 'late' }] }])
  assert.match(merged, /^\|  \| target \| here \| least and most of 4 runs \|  \|$/m)
  assert.match(merged, /^\| Delivered per second .* \| ≥ 500 \| 1,000 \| 900 – 1,500 \| met \|$/m)
  assert.match(merged, /^\| one, MB\/s \| ≥ 2\.5 \| 2\.00 \| 2\.00 – 2\.00 \| \*\*missed\*\*/m)
  assert.match(merged, /^\| pagerduty-alert --help \| 33 \| 1\.10 \| 1\.20 \|$/m)
  assert.match(merged, /^### filling a spool: exponent 1\.00$/m)
  assert.match(merged, /^- one key: late$/m)
})

test('the missed targets are listed, and none that was met or not measured', () => {
  const lines = missedText([FIGURES]).trimEnd().split('\n')
  assert.ok(lines.includes('missed: one, MB/s: 2.00 instead of 2.5'))
  assert.ok(lines.every((line) => !line.includes('--help') && !line.includes('not measured')))
})

test('the page says what could not be measured', () => {
  assert.match(page, /^- containers: it broke$/m)
  assert.match(page, /^Not measured, because they are not installed here: pagerduty-cli\.$/m)
})

test('the page names the machine, and neither host nor paths', () => {
  assert.match(
    page,
    /^2026-03-01, A Processor, 2 cores, 24 GiB, Linux 6\.1, Node v24\.0\.0; load average .* 0\.3\.$/m,
  )
  assert.ok(!page.includes(process.cwd()))
  assert.ok(!page.split(/\W+/).includes(hostname()))
})

test('a run in which nothing could be measured still makes a page', () => {
  const empty = performancePage([NOTHING])
  assert.equal(empty.match(/\| not measured \|/g)?.length, targetsOf(NOTHING).length)
  assert.ok(!empty.includes('NaN') && !empty.includes('undefined'))
})

test('a target is met at its limit, from either side, and neither met nor missed if nothing was measured', () => {
  const target = { what: 'x', limit: 2, floor: '' }
  assert.equal(isMet({ ...target, value: 2 }), true)
  assert.equal(isMet({ ...target, value: 2.01 }), false)
  assert.equal(isMet({ ...target, isLeast: true, value: 1.99 }), false)
  assert.equal(isMet({ ...target, isLeast: true, value: 2 }), true)
  assert.equal(isMet({ ...target, value: undefined }), undefined)
  assert.equal(isMet({ ...target, value: Number.NaN }), undefined)
  assert.equal(show(Number.NaN), 'not measured')
})

test('a plot of growth has a mark for each size, whatever the name holds', () => {
  const svg = growthChart({
    name: 'a <b> & "c"',
    unit: 'bytes',
    points: [1, 1000, 2_000_000].map((size) => ({ size, cost: size })),
  })
  assert.match(svg, /a &lt;b> &amp; &quot;c&quot;/)
  assert.equal(svg.match(/<circle /g)?.length, 3)
  assert.ok(!svg.includes('NaN'))
})
