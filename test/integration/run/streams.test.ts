import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { BIN, KEY } from '../../support/program.ts'
import { skipWithout } from '../../support/required.ts'
import { shell, startDeployments } from '../../support/deployment.ts'

const { simulator, env: ENV, watch, start, details } = await startDeployments()
const folder = mkdtempSync(join(tmpdir(), 'run-'))
after(async () => {
  await simulator.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => simulator.reset())

/** Starts a watched command with given streams. */
function spawnRun(command: readonly string[], stdio: StdioOptions, env = ENV): ChildProcess {
  return spawn(process.execPath, [BIN, 'run', '--quiet', '--', ...command], { env, stdio })
}

test('what the command prints is exactly what comes out, on both streams', async () => {
  const { code, stdout, stderr } = await watch(shell('printf hi; printf there >&2'), { options: ['--quiet'] })
  assert.deepEqual([code, stdout, stderr], [0, 'hi', 'there'])
})

test('a command substitution gets what the command prints', async () => {
  const script = `V=$("$NODE" "$BIN" run -- printf hi); printf '<%s>' "$V"`
  const env = { ...ENV, NODE: process.execPath, BIN }
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { env })
  assert.equal(stdout, '<hi>')
})

test('bytes that are not text come out as they are', async () => {
  const child = spawnRun(shell("printf '\\377\\000\\303'"), ['ignore', 'pipe', 'inherit'])
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(child, 'close')
  assert.deepEqual(Buffer.concat(chunks), Buffer.from([0xff, 0, 0xc3]))
})

test('arguments, environment, stdin and working directory pass through unchanged', async () => {
  const args = ['a b', '', '--json', '$HOME', '*', "it's", '--', 'é\n']
  const script =
    'for a in "$@"; do printf "[%s]" "$a"; done; cat; printf "%s %s" "$MARKER" "$PAGERDUTY_TOKEN"; pwd'
  const { stdout } = await watch(['sh', '-c', script, 'sh', ...args], {
    options: ['--quiet'],
    env: { ...ENV, MARKER: 'm' },
    stdin: 'from stdin',
  })
  assert.equal(stdout, `${args.map((arg) => `[${arg}]`).join('')}from stdinm ${KEY}${process.cwd()}\n`)
})

test('descriptors beyond stderr are handed on, as make needs it for its jobserver', async () => {
  const path = join(folder, 'beyond')
  const fd = openSync(path, 'w')
  const child = spawnRun(shell('echo three >&3; echo four >&4'), ['ignore', 'ignore', 'inherit', fd, fd])
  await once(child, 'close')
  closeSync(fd)
  assert.equal(readFileSync(path, 'utf8'), 'three\nfour\n')
  const { stdout } = await watch(shell('ls /proc/self/fd'))
  // 3 is the one with which `ls` reads; what is far beyond came from the test runner.
  assert.deepEqual(
    stdout.split('\n').filter((name) => Number(name) > 3 && Number(name) < 100),
    [],
    'nothing of our own',
  )
})

test('a script may open /dev/stdout and /dev/stderr, as it can without us', async () => {
  const { stdout, stderr, code } = await watch(
    shell('echo a > /dev/stderr; echo b > /dev/stdout; echo c | tee /dev/stderr'),
    { options: ['--quiet'] },
  )
  assert.deepEqual([code, stdout, stderr], [0, 'b\nc\n', 'a\nc\n'])
})

test('if no pipe can be created, a socket is used', async () => {
  const env = { ...ENV, PATH: folder }
  const { code, stdout, stderr } = await watch(['/bin/sh', '-c', 'echo a; echo b >&2; exit 3'], {
    options: ['--quiet'],
    env,
  })
  assert.deepEqual([code, stdout, stderr], [3, 'a\n', 'b\n'])
  assert.deepEqual(String(details().output).split('\n').toSorted(), ['a', 'b'])
})

test('if both streams are one file, the order of the output is kept', async () => {
  const path = join(folder, 'both')
  const fd = openSync(path, 'w')
  const script = 'i=0; while [ $i -lt 200 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done'
  await once(spawnRun(shell(script), ['ignore', fd, fd]), 'close')
  closeSync(fd)
  const expected = Array.from({ length: 200 }, (_, index) => `o${index}\ne${index}\n`).join('')
  assert.equal(readFileSync(path, 'utf8'), expected)
})

test('output comes live, before the command ends', async () => {
  const { child, ended } = start(shell('echo first; sleep 1000'))
  const [text] = (await once(child.stdout, 'data')) as [string]
  assert.equal(text, 'first\n')
  child.kill()
  await ended
})

test(
  'with --output-lines 0 the command has our streams itself, and no output is sent',
  { skip: skipWithout('linux') },
  async () => {
    const { stdout } = await watch(shell('readlink /proc/self/fd/1; exit 1'), {
      options: ['--output-lines', '0'],
    })
    assert.match(stdout, /^socket:/) // the test's own end, not a pipe of ours
    assert.ok(!('output' in details()))
  },
)

test('a reader that goes away ends the command by SIGPIPE, as it would without us', async () => {
  for (const stdout of ['pipe', 'socket'] as const) {
    const run = `"$NODE" "$BIN" run --quiet -- yes; echo $? >&3`
    const script = stdout === 'pipe' ? `{ ${run}; } | head -n 1 >/dev/null` : run
    const child = spawn('sh', ['-c', script], {
      env: { ...ENV, NODE: process.execPath, BIN },
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    })
    const status = once(child.stdio[3]!, 'data') as Promise<[Buffer]>
    if (stdout === 'socket') {
      await once(child.stdout!, 'data')
      child.stdout!.destroy()
    }
    assert.equal((await status)[0].toString(), '141\n', stdout)
  }
})

test(
  'a full disk under our streams ends no command, and the loss is named',
  { skip: skipWithout('/dev/full') },
  async () => {
    const full = openSync('/dev/full', 'w')
    const command = shell('echo lost; sleep 0.5; echo lost; exit 3')
    const stdio = ['ignore', full, 'pipe'] as const
    const child = spawn(process.execPath, [BIN, 'run', '--', ...command], { env: ENV, stdio: [...stdio] })
    let stderr = ''
    child.stderr!.on('data', (text: Buffer) => (stderr += text.toString()))
    const [code] = (await once(child, 'close')) as [number]
    closeSync(full)
    assert.equal(code, 3)
    assert.match(stderr, /warning: cannot write to stdout \(ENOSPC\), so some output is missing/)
  },
)

test('a child that outlives the command does not keep us', async () => {
  const { code, durationMs, stdout } = await watch(shell('sleep 1000 & echo $!; exit 0'))
  const pid = Number(stdout.trim())
  assert.equal(code, 0)
  assert.ok(durationMs < 60_000)
  assert.ok(process.kill(pid, 'SIGKILL'), 'without a signal nothing is killed')
})

for (const stdout of ['pipe', 'socket'] as const) {
  test(`all output arrives, however much and however slowly it is read, from a ${stdout}`, async () => {
    const run = '"$NODE" "$BIN" run --quiet -- sh -c "head -c 3000000 /dev/zero; exit 4"'
    const script = stdout === 'pipe' ? `{ ${run}; echo $? >&3; } | cat` : `${run}; echo $? >&3`
    const child = spawn('sh', ['-c', script], {
      env: { ...ENV, NODE: process.execPath, BIN },
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    })
    const status = once(child.stdio[3]!, 'data') as Promise<[Buffer]>
    await sleep(700) // nobody reads: everything in between fills up
    let bytes = 0
    child.stdout!.on('data', (chunk: Buffer) => (bytes += chunk.length))
    await once(child, 'close')
    assert.deepEqual([(await status)[0].toString(), bytes], ['4\n', 3_000_000])
  })
}

test(
  'a pipe that we share with others is not made non-blocking',
  { skip: skipWithout('linux') },
  async () => {
    const command = shell('grep flags /proc/$PPID/fdinfo/1')
    const script = `"$NODE" "$BIN" run -- ${command.map((word) => `'${word}'`).join(' ')} | cat`
    const { stdout } = await promisify(execFile)('sh', ['-c', script], {
      env: { ...ENV, NODE: process.execPath, BIN },
    })
    const flags = Number.parseInt(/flags:\s+(\d+)/.exec(stdout)?.[1] ?? '', 8)
    assert.equal(flags & 0o4000, 0, stdout)
  },
)

test('much output does not set the compiler to work that can keep a process from its end', async () => {
  const flood = 'yes "a line of a deployment" | head -c 50000000 >&2'
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--trace-opt', BIN, 'run', '--dry-run', '--', 'sh', '-c', flood],
    { env: ENV, maxBuffer: 1e9 },
  )
  assert.match(stdout, /completed compiling .*target TURBOFAN/) // V8 still reports its compilers
  assert.doesNotMatch(stdout, /JSFunction (?:onStreamRead|record|write) .*target MAGLEV/)
})

test('200 MB through each stream leave our memory flat', { skip: skipWithout('linux') }, async () => {
  const script = `
    head -c 200000000 /dev/zero; yes 'a line of output' | head -c 200000000 >&2
    grep -E 'VmHWM' /proc/$PPID/status; exit 1`
  const child = spawnRun(shell(script), ['ignore', 'pipe', 'pipe'])
  let [bytes, last] = [0, '']
  child.stderr?.on('data', (chunk: Buffer) => (bytes += chunk.length))
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    last = chunk.subarray(-200).toString()
  })
  const [code] = (await once(child, 'close')) as [number]
  const peakKb = Number(/VmHWM:\s+(\d+) kB/.exec(last)?.[1])
  assert.equal(code, 1)
  assert.ok(bytes > 400_000_000, `${bytes} bytes`)
  assert.ok(peakKb > 10_000 && peakKb < 160_000, `${peakKb} kB at most`)
  assert.match(String(details().output), /^a line of output\n/m)
})

test(
  'a stdout that somebody made non-blocking gets everything, although it is full at times',
  { skip: skipWithout('python3') },
  async () => {
    const started = 'import os, sys; os.set_blocking(1, False); os.execv(sys.argv[1], sys.argv[1:])'
    const command = shell('head -c 3000000 /dev/zero; exit 4')
    const child = spawn(
      'python3',
      ['-c', started, process.execPath, BIN, 'run', '--quiet', '--', ...command],
      { env: ENV, stdio: ['ignore', 'pipe', 'inherit'] }, // a socket, which cannot be opened once more as a pipe can
    )
    await sleep(700) // nobody reads: the socket fills up
    let bytes = 0
    child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length))
    const [code] = (await once(child, 'close')) as [number]
    assert.deepEqual([code, bytes], [4, 3_000_000])
  },
)

test('what a child prints soon after the command has ended still comes', async () => {
  // A busy machine may take longer than the program waits, but not every time.
  for (let attempt = 0; attempt < 20; attempt++) {
    const { stdout } = await watch(shell('(sleep 0.1; echo late) & exit 0'), {
      options: ['--dry-run'], // since output also comes while events are sent
    })
    if (/^late$/m.test(stdout)) return
  }
  assert.fail('it never came')
})

test('what Node itself prints for a reader who has gone away changes no status', async () => {
  const run = `"$NODE" "$BIN" run --deadline 200ms -- sh -c 'sleep 0.3; exit 3'; echo $? >&3`
  const child = spawn('sh', ['-c', `{ ${run}; } 2>&1 | true`], {
    env: { ...ENV, NODE: process.execPath, BIN, NODE_DEBUG: 'undici,net' },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const [status] = (await once(child.stdio[3]!, 'data')) as [Buffer]
  assert.equal(status.toString(), '3\n')
})

test('the HTTP client is loaded while the command runs, not after it', async () => {
  const trace = join(folder, 'trace.cjs')
  const loaded = join(folder, 'loaded')
  writeFileSync(
    trace,
    `const { appendFileSync } = require('node:fs')
     const { Module } = require('node:module')
     const load = Module._load
     Module._load = function (name, ...rest) {
       if (name.includes('undici')) appendFileSync(${JSON.stringify(loaded)}, 'loaded')
       return load.call(this, name, ...rest)
     }`,
  )
  const script = `until [ -s '${loaded}' ]; do sleep 0.05; done; exit 3`
  const { code } = await watch(shell(script), {
    env: { ...ENV, NODE_OPTIONS: `--require=${JSON.stringify(trace)}` },
  })
  assert.equal(code, 3)
  assert.equal(simulator.requests.length, 1)
})
