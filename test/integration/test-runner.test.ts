import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isAlive } from '../support/deployment.ts'
import type { Run } from '../support/program.ts'
import { runProcess } from '../support/shell-script.ts'
import { temporaryDirectory } from '../support/spool.ts'

const RUNNER = fileURLToPath(new URL('../run.ts', import.meta.url))
const REQUIRED = new URL('../support/required.ts', import.meta.url).href

/** Runs files of tests, in a folder whose name has a space and an umlaut. */
async function runTests(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> } = {},
): Promise<Run> {
  const cwd = join(temporaryDirectory(t), 'ein Häuschen')
  mkdirSync(cwd)
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(cwd, `${name}.test.mjs`), `import { suite, test } from 'node:test'\n${text}`)
  return await runProcess([process.execPath, RUNNER, ...args, '*.test.mjs'], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    cwd,
  })
}

test('the last lines say what passed, failed and was skipped, and what is missing', async (t) => {
  const { code, stdout } = await runTests(t, {
    good: `test('is good', () => {}); test('needs a', { skip: 'needs a: apt-get install a' }, () => {})`,
    other: `test('needs a', { skip: 'needs a: apt-get install a' }, () => {})
      suite('needs b', { skip: 'needs b: apt-get install b' }, () => {})
      suite('group', () => { test('fails', () => { throw new Error('on purpose') }) })`,
    broken: 'throw new Error("cannot be loaded")',
  })
  assert.equal(code, 1)
  assert.match(stdout, /^ℹ fail 2$/m) // Node's own count is what CI systems read
  const [, summary] = /\n\n(1 test passed[\s\S]*)$/.exec(stdout) ?? []
  assert.deepEqual(summary?.split('\n'), [
    '1 test passed, 2 failed, 2 tests and 1 suite skipped',
    '  failed: broken.test.mjs',
    '  failed: other.test.mjs: fails',
    '  skipped 2 tests: needs a: apt-get install a',
    '  skipped 1 suite: needs b: apt-get install b',
    'To run everything: bash .ci/run, as root on Debian, installs what is missing.',
    '',
  ])
})

test('a run without a failure ends with 0', async (t) => {
  const { code, stdout } = await runTests(t, { good: `test('is good', () => {})` })
  assert.equal(code, 0)
  assert.match(stdout, /\n1 test passed, 0 failed, 0 skipped\n$/)
})

test('no file at all is a mistake, not a success', async (t) => {
  const { code, stderr } = await runTests(t, {})
  assert.equal(code, 64)
  assert.match(stderr, /no test file matches \*\.test\.mjs/)
})

const HANGS = {
  'a timer that nobody clears': `test('x', () => {}); setInterval(() => {}, 1000)`,
  'a promise that nobody settles': `await new Promise(() => setInterval(() => {}, 1000))`,
  'an endless loop': `test('x', () => { for (;;); })`,
  'a child process': `import { execFileSync } from 'node:child_process'
    test('x', () => { execFileSync('sh', ['-c', 'echo pid=$$. >&2; sleep 1000 & wait'], { stdio: 'inherit' }) })`,
}
for (const [name, text] of Object.entries(HANGS)) {
  test(`a file that hangs in ${name} is named and ended, with what it started`, async (t) => {
    const { code, stdout, stderr } = await runTests(
      t,
      { hangs: text, good: `test('is good', () => {})` },
      { args: ['--file-limit=3'] },
    )
    assert.equal(code, 1)
    assert.match(stdout, /^ {2}failed: hangs\.test\.mjs did not end within 3 s, and was killed$/m)
    assert.match(stdout, /✔ is good/)
    const pid = /pid=(\d+)\./.exec(stdout + stderr)?.[1]
    if (pid !== undefined) assert.ok(!isAlive(Number(pid)))
  })
}

test('with --retries=1 a file that failed runs again, alone; what passes then is named as flaky', async (t) => {
  const files = {
    good: `test('is good', () => {})`,
    flaky: `import { existsSync, writeFileSync } from 'node:fs'
      const isFirst = !existsSync('ran')
      writeFileSync('ran', '')
      test('fails once', () => { if (isFirst) throw new Error('on purpose') })`,
  }
  const passing = await runTests(t, files, { args: ['--retries=1'] })
  assert.equal(passing.code, 0)
  const summary =
    '2 tests passed, 0 failed, 0 skipped\n  flaky (failed, then passed alone): flaky.test.mjs: fails once\n'
  assert.ok(passing.stdout.endsWith(`\n${summary}`), passing.stdout)
  assert.equal(passing.stdout.match(/✔ is good/g)?.length, 1)

  const strict = await runTests(t, files)
  assert.equal(strict.code, 1)
  const broken = { ...files, broken: `test('fails', () => { throw new Error('on purpose') })` }
  const failed = await runTests(t, broken, { args: ['--retries=1'] })
  assert.equal(failed.code, 1)
  assert.match(
    failed.stdout,
    /\n2 tests passed, 1 failed, 0 skipped\n {2}failed: broken\.test\.mjs: fails\n {2}flaky/,
  )
})

test('what is missing skips a test, and fails it with REQUIRE_ALL=1', async (t) => {
  const files = {
    needy: `const { skipWithout } = await import(${JSON.stringify(REQUIRED)})
      test('needs zsh', { skip: skipWithout('zsh') }, () => {})`,
  }
  const nowhere = temporaryDirectory(t)
  const lenient = await runTests(t, files, { env: { PATH: nowhere } })
  assert.equal(lenient.code, 0)
  assert.match(lenient.stdout, /skipped 1 test: needs zsh: apt-get install zsh/)
  const strict = await runTests(t, files, { env: { PATH: nowhere, REQUIRE_ALL: '1' } })
  assert.equal(strict.code, 1)
  assert.match(strict.stdout + strict.stderr, /needs zsh: apt-get install zsh \(REQUIRE_ALL=1/)
})
