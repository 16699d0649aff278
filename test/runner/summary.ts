import { relative, resolve } from 'node:path'

/** What one run of the tests came to. */
export interface Tally {
  passed: number
  readonly failed: string[]
  /** The absolute paths of the files with a failure. */
  readonly failedFiles: Set<string>
  /** Tests that failed and passed when their file ran again. */
  readonly flaky: string[]
  /** Skipped tests and suites by the reason. */
  readonly skipped: Map<string, { tests: number; suites: number }>
}

export function createTally(): Tally {
  return { passed: 0, failed: [], failedFiles: new Set(), flaky: [], skipped: new Map() }
}

/** What a test runner reports about a test that has ended, as far as we count it. */
export interface EndedTest {
  readonly name: string
  readonly file?: string | undefined
  readonly skip?: string | boolean | undefined
  readonly todo?: string | boolean | undefined
  readonly details: { readonly type?: string | undefined; readonly error?: object | undefined }
}

/** Counts a test, or a suite that was skipped or failed as a whole. */
export function countTest(tally: Tally, test: EndedTest, hasPassed: boolean): void {
  const isSuite = test.details.type === 'suite'
  if (test.skip !== undefined && test.skip !== false) {
    const reason = typeof test.skip === 'string' && test.skip !== '' ? test.skip : 'no reason given'
    const { tests, suites } = tally.skipped.get(reason) ?? { tests: 0, suites: 0 }
    tally.skipped.set(reason, { tests: tests + (isSuite ? 0 : 1), suites: suites + (isSuite ? 1 : 0) })
  } else if (isOnlyOutside(test)) {
    return
  } else if (!hasPassed && test.todo === undefined) {
    tally.failed.push(nameOf(test))
    tally.failedFiles.add(test.file ?? resolve(test.name))
  } else if (!isSuite) tally.passed += 1
}

/** Counts a file that had to be killed. */
export function countOverdue(tally: Tally, file: string, limitS: number): void {
  tally.failed.push(`${relative('', file)} did not end within ${limitS} s, and was killed`)
  tally.failedFiles.add(file)
}

/** A run and a second one of its failed files: what failed in the first one alone is flaky. */
export function mergeRetry(first: Tally, retry: Tally): Tally {
  const flaky = first.failed.filter((name) => !retry.failed.includes(name))
  return {
    passed: first.passed + flaky.length,
    failed: retry.failed,
    failedFiles: retry.failedFiles,
    flaky: [...first.flaky, ...flaky],
    skipped: first.skipped,
  }
}

/** Whether it failed only because a test in it did, which is counted separately. */
function isOnlyOutside({ details: { error } }: EndedTest): boolean {
  return error !== undefined && 'failureType' in error && error.failureType === 'subtestsFailed'
}

/** The file, and the test in it unless the file failed as a whole. */
function nameOf({ name, file }: EndedTest): string {
  if (file === undefined) return name
  return file === name ? relative('', file) : `${relative('', file)}: ${name}`
}

/** The last lines of a run, for a person: how many passed, failed and were skipped, which are flaky, and what to install. */
export function formatSummary({ passed, failed, flaky, skipped }: Tally): string {
  const groups = [...skipped].toSorted(([, a], [, b]) => b.tests + b.suites - a.tests - a.suites)
  const tests = groups.reduce((sum, [, group]) => sum + group.tests, 0)
  const suites = groups.reduce((sum, [, group]) => sum + group.suites, 0)
  const lines = [
    `${count(passed, 'test')} passed, ${failed.length} failed, ${describe({ tests, suites })} skipped`,
  ]
  lines.push(...failed.map((name) => `  failed: ${name}`))
  lines.push(...flaky.map((name) => `  flaky (failed, then passed alone): ${name}`))
  lines.push(...groups.map(([reason, group]) => `  skipped ${describe(group)}: ${reason}`))
  if (groups.length > 0)
    lines.push('To run everything: bash .ci/run, as root on Debian, installs what is missing.')
  return `${lines.join('\n')}\n`
}

function describe({ tests, suites }: { readonly tests: number; readonly suites: number }): string {
  if (suites === 0) return tests === 0 ? '0' : count(tests, 'test')
  return tests === 0 ? count(suites, 'suite') : `${count(tests, 'test')} and ${count(suites, 'suite')}`
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`
}
