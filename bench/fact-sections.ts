import type { FactSection, Measured } from './fact.ts'
import type { Bench } from './section.ts'
import { measureDeployments } from './deployments.ts'
import { measureFleet } from './fleet.ts'
import { measureTexts } from './texts.ts'
import { measureWatching } from './watching.ts'
import { measurePage } from './web-page.ts'

/** How a table of single figures is measured. */
interface FactWork extends Omit<FactSection, 'facts'> {
  readonly work: (bench: Bench) => Promise<Measured>
  /** Time limit. Default: two minutes. */
  readonly budgetMs?: number
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
  {
    title: 'Deployments and their deadlines',
    note:
      'A relay with a spool at 64 connections; of each deployment its start is posted and then its outcome. The others are the ' +
      'quickest of nine single calls of the spool, with 10,000 deployments, of 100 repositories and three environments.',
    work: measureDeployments,
  },
  {
    title: 'The page',
    note:
      'A relay with 10,000 pending events in its spool, looked at by a browser that has nothing of the page yet, by single ' +
      'requests one after the other, and by viewers who follow every change while 64 connections post alerts.',
    work: measurePage,
  },
  {
    title: 'Watching for incidents',
    note: 'Against the simulator over loopback. A relay with a spool looks once a second, for incidents of 100 deployments.',
    work: measureWatching,
  },
  {
    title: 'A fleet',
    note:
      'Relays that share one PostgreSQL node, which syncs every commit, all on this machine. They accept beside a relay with only ' +
      'its spool; they deliver 12 events of each of 1,000 keys, all of which wait when they begin.',
    work: measureFleet,
    budgetMs: 240_000,
  },
]
