import { ratios, type Fact, type Measured } from './fact.ts'
import type { Growth } from './growth.ts'
import { readScript } from './processes.ts'
import type { Bench } from './section.ts'
import type { TextCost, TextCosts } from './text-cost.ts'
import { TEXT_BYTES } from './text-work.ts'

const FLOOR = 'each place of a text is compared with some 200 shapes of secrets, by one expression in V8'
const BOUNDED = 'a body is at most 512,000 bytes, and none holds the event loop for longer than 100 ms'

/** What masking and reading cost, for ordinary texts and hostile ones. */
export async function measureTexts({ signal, isSmoke }: Bench): Promise<Measured> {
  const args = isSmoke ? ['1', '10000'] : ['5', '500000']
  const costs = (await readScript('text-cost.ts', args, { timeoutMs: 100_000, signal })) as TextCosts
  const { masking, template, form, json } = costs.works
  return {
    facts: [
      {
        name: 'Masking an ordinary output',
        unit: 'MB/s',
        values: masking.ordinaryMs.map((ms) => TEXT_BYTES / 1e6 / (ms / 1000)),
        target: { limit: 15, isLeast: true, floor: FLOOR },
      },
      {
        name: 'Masking an ordinary output ÷ one pass',
        unit: '',
        values: ratios(masking.ordinaryMs, costs.passMs),
      },
      {
        name: 'Masking the worst shape ÷ one pass',
        unit: '',
        values: ratios(masking.worstMs, costs.passMs),
      },
      worst('Masking', masking, 4),
      worst('Reading a template', template, 4),
      worst('Reading a form', form, 40),
      worst('Reading JSON', json, 10),
    ],
    growth: [
      ...growthOf('masking', masking),
      ...growthOf('reading a template', template),
      ...growthOf('reading a form', form),
      ...growthOf('reading JSON', json),
    ],
  }
}

function worst(name: string, cost: TextCost, limit: number): Fact {
  return {
    name: `${name}: the worst shape ÷ an ordinary text`,
    unit: '',
    values: ratios(cost.worstMs, cost.ordinaryMs),
    remark: `the shape is ${code(cost)}`,
    target: { limit, floor: BOUNDED },
  }
}

function code({ worstShape }: TextCost): string {
  return `\`${worstShape}…\``
}

function growthOf(name: string, { growth, worstGrowth }: TextCost): Growth[] {
  return [
    { name, unit: 'bytes', points: growth },
    { name: `${name}, the worst shape`, unit: 'bytes', points: worstGrowth },
  ]
}
