import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { IMAGE_FLAGS } from '../../build/image-flags.ts'
import { BIN, CODESHIP_PRO, KEY } from '../support/program.ts'
import { skipWithout } from '../support/required.ts'
import { runProcess } from '../support/shell-script.ts'

const scratch = mkdtempSync(join(tmpdir(), 'code-cache-'))
const dist = join(scratch, 'dist')
const cache = join(dist, 'code-cache')
const env = { PATH: process.env['PATH'] ?? '', ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY }
after(() => rmSync(scratch, { recursive: true }))

before(async () => {
  cpSync(dirname(BIN), dist, { recursive: true })
  const writer = fileURLToPath(new URL('../../build/write-code-cache.ts', import.meta.url))
  const { code, stderr } = await runProcess([process.execPath, writer, dist], { env })
  assert.equal(code, 0, stderr)
})

/** Loaded before the program: tells on stderr what V8 made of the cache for each file. */
const witness = join(scratch, 'witness.cjs')
writeFileSync(
  witness,
  `const vm = require('node:vm')
  const verdict = ({ cachedDataRejected }) => ({ true: 'rejected', false: 'accepted' })[cachedDataRejected] ?? 'absent'
  vm.Script = class extends vm.Script {
    constructor(source, options) {
      super(source, options)
      process.stderr.write('witness: ' + require('node:path').basename(options.filename) + ' ' + verdict(this) + '\\n')
    }
  }`,
)

/** What V8 said about each file that a run loaded, by its name. */
async function verdicts(
  args: readonly string[],
  code: number,
  ...flags: string[]
): Promise<Map<string, string>> {
  const argv = [process.execPath, ...flags, '--require', witness, join(dist, 'bin.js'), ...args]
  const result = await runProcess(argv, { env: { ...env, PAGERDUTY_EVENTS_URL: 'https://127.0.0.1:9' } })
  assert.equal(result.code, code, result.stderr)
  const said = result.stderr.matchAll(/^witness: (\S+) (\w+)$/gm)
  return new Map(Array.from(said, ([, file = '', verdict = '']) => [file, verdict]))
}

for (const { args, code, files } of [
  { args: ['--help'], code: 0, files: ['program.js', 'help.js'] },
  { args: ['success', '--dry-run'], code: 0, files: ['program.js'] },
  { args: ['failure', '--deadline', '1ms'], code: 75, files: ['program.js', 'undici.js'] },
  { args: ['run', '--deadline', '1ms', '--', 'false'], code: 1, files: ['program.js', 'run.js'] },
]) {
  test(`${args.join(' ')} is compiled by what was kept of an earlier run`, async () => {
    const seen = await verdicts(args, code)
    for (const file of files) assert.equal(seen.get(file), 'accepted', file)
  })
}

/** Runs the program that has the cache, where nothing answers. */
async function runCached(script: string): Promise<string> {
  const argv = ['bash', '-c', script, process.execPath, join(dist, 'bin.js')]
  const { stderr } = await runProcess(argv, { env: { ...env, PAGERDUTY_EVENTS_URL: 'https://127.0.0.1:9' } })
  return stderr
}

test(
  "what is loaded by few finds Node's modules, too: a spool, a key from a pipe",
  { skip: skipWithout('bash') },
  async () => {
    const spool = `PAGERDUTY_SPOOL='${join(scratch, 'spool')}'`
    assert.match(await runCached(`${spool} "$0" "$1" failure --deadline 1s`), /kept in the spool/)
    assert.match(await runCached(`${spool} "$0" "$1" flush --deadline 1s`), /1 pending/)
    assert.match(await runCached(`${spool} "$0" "$1" doctor >&2`), /^ok +spool/m)
    const piped =
      'unset PAGERDUTY_TOKEN; PAGERDUTY_TOKEN_FILE=<(sleep 0.5; echo $KEY) "$0" "$1" failure --deadline 1s'
    assert.match(await runCached(`KEY=$PAGERDUTY_TOKEN; ${piped}`), /not delivered/)
  },
)

test('a relay that keeps its events starts by it, too', async () => {
  const spool = { PAGERDUTY_SPOOL: join(scratch, 'spool'), PAGERDUTY_RELAY_HOST: '192.0.2.1' } // an address of no machine
  const { code, stderr } = await runProcess([process.execPath, join(dist, 'bin.js'), 'serve'], {
    env: { ...env, ...spool },
  })
  assert.equal(code, 78, stderr)
  assert.match(stderr, /cannot listen/)
})

test('with the flags by which the image starts it, too', async () => {
  const seen = await verdicts(['success', '--dry-run'], 0, '--disable-sigusr1', ...IMAGE_FLAGS)
  assert.deepEqual(new Set(seen.values()), new Set(['accepted']))
})

test('it holds the functions that ran, not only the outermost', () => {
  for (const file of ['program.js', 'undici.js', 'run.js']) {
    const source = `(function (exports, require, module) {\n${readFileSync(join(dist, file), 'utf8')}\n})`
    const outermost = new Script(source).createCachedData().length
    const kept = readFileSync(join(cache, file)).length
    assert.ok(kept > 2 * outermost, `${file}: ${kept} bytes, ${outermost} without`)
  }
})

test('what V8 cannot use it does without: other flags, a file that was cut off, a file that is missing or cannot be read', async () => {
  const others = await verdicts(['success', '--dry-run'], 0, '--max-lazy')
  assert.deepEqual(new Set(others.values()), new Set(['rejected']))
  const file = join(cache, 'program.js')
  const whole = readFileSync(file)
  for (const bytes of [0, 3, 4, 20, whole.length - 1]) {
    writeFileSync(file, whole.subarray(0, bytes))
    assert.equal((await verdicts(['success', '--dry-run'], 0)).get('program.js'), 'absent', `${bytes} bytes`)
  }
  rmSync(file)
  assert.equal((await verdicts(['success', '--dry-run'], 0)).get('program.js'), 'absent')
  mkdirSync(file)
  assert.equal((await verdicts(['success', '--dry-run'], 0)).get('program.js'), 'absent')
  rmdirSync(file)
  writeFileSync(file, whole)
})

test('a file that was edited runs as it is now, even if its length is the same', async () => {
  const file = join(dist, 'help.js')
  const source = readFileSync(file, 'utf8')
  const help = ['--help'] as const
  assert.equal((await verdicts(help, 0)).get('help.js'), 'accepted')
  writeFileSync(file, source.replace('Usage: ', 'EDITED '))
  assert.notEqual(readFileSync(file, 'utf8'), source)
  assert.equal((await verdicts(help, 0)).get('help.js'), 'absent')
  const { stdout } = await runProcess([process.execPath, join(dist, 'bin.js'), ...help], { env })
  assert.match(stdout, /^EDITED /m)
  writeFileSync(file, source)
})

test('no bit that flips in the cache is run: V8 would crash by some of them', async () => {
  const file = join(cache, 'program.js')
  const whole = readFileSync(file)
  const places = Array.from({ length: 30 }, (_, index) => Math.floor((index * (whole.length - 1)) / 29))
  for (const place of places) {
    const damaged = Buffer.from(whole)
    damaged[place] = (damaged[place] ?? 0) ^ (1 << (place % 8))
    writeFileSync(file, damaged)
    assert.equal((await verdicts(['success', '--dry-run'], 0)).get('program.js'), 'absent', `byte ${place}`)
  }
  writeFileSync(file, whole)
})

test('a bug is reported with its place in the file', async () => {
  const code = 'exports.helpText = () => { throw new Error("a bug") }'
  writeFileSync(join(dist, 'help.js'), code)
  const { code: status, stderr } = await runProcess([process.execPath, join(dist, 'bin.js'), '--help'], {
    env,
  })
  assert.equal(status, 70)
  assert.ok(stderr.includes(`help.js:1:${code.indexOf('new Error') + 1}`), stderr)
})

for (const withCache of [true, false]) {
  test(`a program that lacks a file ${withCache ? 'with' : 'without'} the cache says so in one line`, async () => {
    const broken = join(scratch, `broken-${withCache}`)
    cpSync(dist, broken, { recursive: true })
    rmSync(join(broken, 'program.js'))
    if (!withCache) rmSync(join(broken, 'code-cache'), { recursive: true })
    const { code, stderr } = await runProcess([process.execPath, join(broken, 'bin.js'), '--help'], { env })
    assert.equal(code, 70)
    assert.match(
      stderr,
      /^pagerduty-alert: error: the program cannot be loaded: .*program\.js.*; install it again\n$/,
    )
  })
}
