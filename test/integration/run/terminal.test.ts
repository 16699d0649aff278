import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, beforeEach, test } from 'node:test'
import { BIN } from '../../support/program.ts'
import { skipWithout } from '../../support/required.ts'
import { isAlive, startDeployments } from '../../support/deployment.ts'
import { until } from '../../support/until.ts'

const { simulator, env, sent } = await startDeployments()
after(() => simulator.close())
beforeEach(() => simulator.reset())

const skip = skipWithout('script', 'linux')
const CTRL_C = '\u0003'

interface Terminal {
  /** What is on the screen. */
  readonly screen: () => string
  readonly type: (text: string) => void
  readonly ended: Promise<number>
}

/** Runs a shell script on a new terminal (util-linux's `script`); `$RUN` in it becomes the program's `run`. */
function onTerminal(script: string): Terminal {
  const RUN = `'${process.execPath}' '${BIN}' run`
  const child = spawn('script', ['-qec', script.replaceAll('$RUN', RUN), '/dev/null'], {
    env: { ...env, SHELL: '/bin/sh' },
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  return {
    screen: () => text.replaceAll('\r\n', '\n'),
    type: (keys) => void child.stdin.write(keys),
    ended: once(child, 'close').then(([code]) => code as number),
  }
}

test('with --output-lines 0 the command has the terminal itself', { skip }, async () => {
  const { ended, screen } = onTerminal(
    `$RUN --output-lines 0 -- sh -c 'test -t 0 && test -t 1 && test -t 2; echo $?'`,
  )
  assert.equal(await ended, 0)
  assert.match(screen(), /^0$/m)
})

test(
  'otherwise its output is piped, in order, while what is typed reaches it from the terminal',
  { skip },
  async () => {
    const { ended, screen, type } = onTerminal(
      `$RUN --quiet -- sh -c 'test -t 0 && ! test -t 1 && ! test -t 2; echo $?; echo out; echo err >&2; read word; echo "got $word"'`,
    )
    await until(() => screen().includes('err'), 'the output')
    type('word\n')
    assert.equal(await ended, 0)
    assert.match(screen(), /0\nout\nerr\n(?:word\n)?got word\n/)
  },
)

test(
  'a command whose stdin is not a terminal can still ask its user through /dev/tty',
  { skip },
  async () => {
    const { ended, screen } = onTerminal(`$RUN --quiet -- sh -c 'echo asked >/dev/tty' </dev/null`)
    assert.equal(await ended, 0)
    assert.match(screen(), /asked/)
  },
)

test('Ctrl-C reaches the command once, from the terminal', { skip }, async () => {
  const { ended, screen, type } = onTerminal(
    `exec $RUN -- sh -c 'n=0; trap "n=\\$((n+1))" INT; echo up; i=0; while [ $i -lt 10 ]; do sleep 0.1; i=$((i+1)); done; echo n=$n; exit 3'`,
  )
  await until(() => screen().includes('up'), 'the command')
  type(CTRL_C)
  assert.equal(await ended, 3)
  assert.match(screen(), /n=1\n/)
  assert.deepEqual(sent(), ['change'])
})

test('Ctrl-C ends a command and its children', { skip }, async () => {
  const { ended, screen, type } = onTerminal(
    `exec $RUN -- sh -c '(trap "" INT; sleep 1000) & echo pid=$!.; wait'`,
  )
  await until(() => /pid=\d+\./.test(screen()), 'the process id')
  type(CTRL_C)
  assert.equal(await ended, 130)
  assert.deepEqual(sent(), ['change'])
  const pid = Number(/pid=(\d+)\./.exec(screen())?.[1])
  await until(() => !isAlive(pid), 'the end of its child') // by SIGHUP, as the terminal has gone
})

test('Ctrl-C is a cancellation, even if the end of the command is seen before it', { skip }, async () => {
  const { ended } = onTerminal(`exec $RUN -- sh -c '(kill -INT $$; sleep 0.02; kill -INT $PPID) & wait'`)
  assert.equal(await ended, 130)
  assert.deepEqual(sent(), ['change'])
})

test(
  'SIGTERM for us alone reaches the children of the command too, and nobody else in the group',
  { skip },
  async () => {
    const { ended, screen } = onTerminal(
      `sleep 1000 & echo other=$!.; $RUN -- sh -c 'echo run=$PPID.; sh -c "trap \\"echo child had it; exit 7\\" TERM; echo up; while :; do sleep 0.05; done"; exit $?'; echo status=$?.; kill -0 $! && echo left; kill $!`,
    )
    await until(() => screen().includes('up\n'), 'the command')
    process.kill(Number(/run=(\d+)\./.exec(screen())?.[1]), 'SIGTERM')
    await ended
    assert.match(screen(), /child had it/)
    assert.match(screen(), /status=143\./)
    assert.match(screen(), /^left$/m)
  },
)
