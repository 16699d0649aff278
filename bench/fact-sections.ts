import type { FactSection, Measured } from './fact.ts'
import type { Bench } from './section.ts'
import { measureTexts } from './texts.ts'

/** How a table of single figures is measured. */
interface FactWork extends Omit<FactSection, 'facts'> {
  readonly work: (bench: Bench) => Promise<Measured>
}

/** The sections that are such tables, in the order of the page. */
export const FACT_SECTIONS: readonly FactWork[] = [
  {
    title: 'Masking and reading texts',
    note:
      'Ordinary texts of 128 KiB, the most that is masked of an output, and as much of the hostile text that costs most of some ' +
      '250. One pass is a search of the same output for a word that is not in it, which the processor does 32 bytes at a time.',
    work: measureTexts,
  },
]
