import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { startSimulator } from '../../../tools/simulator/simulator.ts'
import { CODESHIP_PRO, KEY, type Run } from '../../support/program.ts'
import { startRelay } from '../../support/relay.ts'
import { programPath, skipWithout } from '../../support/required.ts'
import { runProcess, runScript, SCRIPT, SHELLS, type Shell } from '../../support/shell-script.ts'

const simulator = await startSimulator()
const scratch = mkdtempSync(join(tmpdir(), 'shell-script-'))
after(async () => {
  await simulator.close()
  rmSync(scratch, { recursive: true })
})
beforeEach(() => simulator.reset())

const shells = Object.keys(SHELLS) as Shell[]
const OTHER_KEY = 'someRoutingKeybfa2a710673888f520'
const TOKEN = 'relay-*-token-0123456789'
const ENV = { ...CODESHIP_PRO, PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
const RELAY = { ...CODESHIP_PRO, PAGERDUTY_RELAY_URL: `${simulator.url}/`, PAGERDUTY_RELAY_TOKEN: TOKEN }

interface ExitCase {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly says: RegExp
}
const EXITS: readonly (ExitCase & { readonly code: number })[] = [
  { code: 64, args: ['deploy'], says: /unknown command deploy; expected one of/ },
  { code: 64, args: ['success', '--colour', 'red'], says: /unknown option --colour; see/ },
  { code: 64, args: [KEY], says: /error: unknown command; expected one of/ },
  { code: 64, args: [`--${KEY}`, 'x'], says: /error: unknown option; see/ },
  { code: 64, args: ['success', '--summary'], says: /needs a value/ },
  { code: 64, args: ['run'], says: /run needs a command/ },
  { code: 64, args: ['started', '--within', '30m'], says: /started needs a relay \(PAGERDUTY_RELAY_URL\)/ },
  { code: 64, args: ['success', '--within', '30m'], says: /--within is only for started/ },
  { code: 64, args: ['trigger'], says: /trigger needs PAGERDUTY_SUMMARY/ },
  { code: 0, args: ['--status', 'skipped'], says: /nothing to report: the job was skipped/ },
  {
    code: 64,
    args: ['--severity', 'high'],
    says: /PAGERDUTY_SEVERITY: must be one of critical, error, warning, info/,
  },
  {
    code: 64,
    args: ['--summary', '{{nope}}'],
    says: /PAGERDUTY_SUMMARY: has an unknown name; expected one of repository, branch/,
  },
  { code: 64, args: ['--details', '{'], says: /PAGERDUTY_DETAILS: must be a JSON object/ },
  {
    code: 64,
    env: { PAGERDUTY_LINKS: '[{"href":"https://x"}, 1]' },
    says: /PAGERDUTY_LINKS: must be a JSON list/,
  },
  {
    code: 64,
    env: { PAGERDUTY_REPOSITORY_URL: 'acme' },
    says: /PAGERDUTY_REPOSITORY_URL: must be an address/,
  },
  { code: 64, args: ['--deadline', 'soon'], says: /PAGERDUTY_DEADLINE: must be a duration/ },
  {
    code: 64,
    env: { PAGERDUTY_EVENTS_URL: 'http://user:pw@127.0.0.1' },
    says: /PAGERDUTY_EVENTS_URL: must be/,
  },
  { code: 78, env: { PAGERDUTY_TOKEN: ' ' }, says: /no key is set: put the Integration Key/ },
  { code: 78, env: { PAGERDUTY_TOKEN: 'y_NbAkKc66ryYTWUXYEu' }, says: /looks like a REST API token/ },
  { code: 78, env: { PAGERDUTY_TOKEN: 'samplekeyhere' }, says: /this has 13 characters/ },
  {
    code: 78,
    env: { PAGERDUTY_TOKEN_FILE: '/nowhere' },
    says: /PAGERDUTY_TOKEN and PAGERDUTY_TOKEN_FILE are both set/,
  },
  { code: 78, env: { PAGERDUTY_TOKEN: '', PAGERDUTY_TOKEN_FILE: '/nowhere' }, says: /cannot be read/ },
  {
    code: 78,
    env: { PAGERDUTY_TOKEN: '', PAGERDUTY_TOKEN_FILE: SCRIPT },
    says: /PAGERDUTY_TOKEN_FILE: this has \d+ characters/,
  },
]

for (const shell of shells) {
  const skip = skipWithout(shell, 'curl', 'jq')
  const run = async (args: readonly string[], env: Record<string, string> = ENV): Promise<Run> =>
    await runScript(shell, args, { env })

  test(`${shell}: a mistake is named before anything is sent`, { skip }, async () => {
    for (const { code, args = [], env = {}, says } of EXITS) {
      const result = await run(args, { ...ENV, ...env })
      assert.equal(result.code, code, `${args.join(' ')}: ${result.stderr}`)
      assert.match(result.stderr, says)
      assert.equal(result.stdout, '')
    }
    assert.deepEqual(simulator.requests, [])
  })

  test(
    `${shell}: what may pass is tried again with the same bytes, not before the server says`,
    { skip },
    async () => {
      const answer = { kind: 'answer', status: 503, headers: { 'Retry-After': '1' } } as const
      simulator.behave({ times: 1, behaviour: answer })
      simulator.behave({ times: 1, behaviour: { kind: 'reset', after: 'body' } })
      const { code, stderr } = await run(['failure'])
      assert.equal(code, 0, stderr)
      const [first, second, third] = simulator.requests
      assert.equal(simulator.requests.length, 3)
      assert.deepEqual([second?.body, third?.body], [first?.body, first?.body])
      assert.ok(second!.receivedAtMs - first!.receivedAtMs >= 1000)
      assert.match(stderr, /attempt 1 failed: 503: ; next try in 1 s, \d+ s left after it/)
    },
  )

  test(`${shell}: a refusal is final, and what the server echoes is masked`, { skip }, async () => {
    simulator.behave({ behaviour: { kind: 'echo', status: 400 } })
    const { code, stderr } = await run(['success'])
    assert.equal(code, 65)
    assert.equal(simulator.requests.length, 2) // the change event and the resolve
    assert.match(stderr, /refused with 400: \{"routing_key":"…cdef"/)
    assert.doesNotMatch(stderr, new RegExp(KEY))
  })

  test(
    `${shell}: nothing of a secret under 12 characters shows, however often a server repeats it`,
    { skip },
    async () => {
      for (const [token, shown] of [
        ['s3cr', '…'],
        ['x', '…'],
        ['aaaaaaaaaaaa', '…aaaa'],
      ] as const) {
        const body = token.repeat(20_000).slice(0, -1)
        simulator.behave({ times: 1, behaviour: { kind: 'answer', status: 401, body } })
        const { code, stderr } = await run(['failure'], { ...RELAY, PAGERDUTY_RELAY_TOKEN: token })
        assert.equal(code, 65, stderr)
        const reason = /refused with 401: (.*)/.exec(stderr)?.[1] ?? ''
        assert.ok(reason.startsWith(shown) && reason.length <= 500, stderr)
        if (token.length < 12) assert.doesNotMatch(reason, new RegExp(token))
      }
      simulator.behave({
        times: 1,
        behaviour: { kind: 'answer', status: 400, body: `the key ${KEY.slice(0, -2)}` },
      })
      assert.match((await run(['failure'])).stderr, /refused with 400: the key …$/m)
    },
  )

  test(`${shell}: a redirect is not followed`, { skip }, async () => {
    const headers = { location: `${simulator.url}/v2/enqueue` }
    simulator.behave({ behaviour: { kind: 'answer', status: 307, headers } })
    assert.equal((await run(['failure'])).code, 65)
    assert.equal(simulator.requests.length, 1)
  })

  test(`${shell}: 75 when the deadline is over, 0 for a 2xx that is cut off`, { skip }, async () => {
    simulator.behave({ behaviour: { kind: 'hang', after: 'request' } })
    const late = await run(['failure', '--deadline', '1200ms', '--timeout=1s'])
    assert.equal(late.code, 75, late.stderr)
    assert.ok(late.durationMs < 30_000)
    simulator.reset()
    simulator.behave({ behaviour: { kind: 'truncate' } })
    assert.equal((await run(['failure'])).code, 0)
  })

  test(`${shell}: every event goes once to each of several keys, which are named`, { skip }, async () => {
    const env = { ...ENV, PAGERDUTY_ROUTING_KEY: `web=${KEY}, ${OTHER_KEY}, again = ${KEY}` }
    const { code, stderr } = await run(['failure'], env)
    assert.equal(code, 0)
    assert.deepEqual(stderr.match(/\(key .*?\)/g), ['(key web)', `(key …${OTHER_KEY.slice(-4)})`])
    const keys = simulator.requests.map(({ json }) => (json as { routing_key: string }).routing_key)
    assert.deepEqual(keys, [KEY, OTHER_KEY])
  })

  test(`${shell}: the key comes from a file, too`, { skip }, async () => {
    const file = join(scratch, 'key')
    const { PAGERDUTY_TOKEN: _, ...env } = ENV
    for (const [text, encoding] of [
      [`  "${KEY}"\r\n`, 'utf8'],
      [`\uFEFF${KEY}\r\n`, 'utf8'], // Windows’ Notepad
      [`\uFEFF${KEY}\r\n`, 'utf16le'], // its PowerShell
    ] as const) {
      writeFileSync(file, text, encoding)
      const { code, stderr } = await run(['failure'], { ...env, PAGERDUTY_TOKEN_FILE: file })
      assert.equal(code, 0, stderr)
      assert.doesNotMatch(stderr, /warning/)
    }
  })

  test(
    `${shell}: under -e a failed deployment is reported, and under -x no trace shows the key`,
    { skip },
    async () => {
      const { code, stderr } = await runProcess(
        [...SHELLS[shell], '-ex', SCRIPT, 'run', 'sh', '-c', 'exit 4'],
        {
          env: { PATH: process.env['PATH'] ?? '', ...ENV },
        },
      )
      assert.equal(code, 4)
      assert.match(stderr, /trigger of .*: accepted \(202\)/)
      assert.doesNotMatch(stderr, new RegExp(KEY))
    },
  )

  test(`${shell}: closed standard streams do not matter`, { skip }, async () => {
    const file = join(scratch, `closed-${shell}`)
    for (const closed of ['<&-', '>&-', '2>&-', '<&- >&- 2>&-']) {
      rmSync(file, { force: true })
      simulator.reset()
      const line = `exec ${SHELLS[shell].join(' ')} "$@" ${closed}`
      const command = ['sh', '-c', line, 'sh', SCRIPT, 'run', 'sh', '-c', 'cat; : > "$0"; exit 5', file]
      const { code } = await runProcess(command, { env: { PATH: process.env['PATH'] ?? '', ...ENV } })
      assert.deepEqual([code, existsSync(file), simulator.alerts.length], [5, true, 1], closed)
    }
  })

  test(`${shell}: loopback is never reached through a proxy`, { skip }, async () => {
    const dead = 'http://127.0.0.1:1'
    const { code, stderr } = await run(['failure'], { ...ENV, http_proxy: dead, ALL_PROXY: dead })
    assert.equal(code, 0, stderr)
  })

  test(`${shell}: a folder for temporary files is found if TMPDIR names none`, { skip }, async () => {
    const { code, stderr } = await run(['failure'], { ...ENV, TMPDIR: '/nowhere' })
    assert.deepEqual(
      [code, stderr],
      [0, 'pagerduty.sh: trigger of deploy/acme/shop/master: accepted (202)\n'],
    )
  })

  test(`${shell}: a dry run prints the requests with the key masked and makes none`, { skip }, async () => {
    const { code, stdout } = await run(['success', '--dry-run'])
    assert.equal(code, 0)
    const requests = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual(
      requests.map(({ method, url }) => [method, url]),
      [
        ['POST', `${simulator.url}/v2/change/enqueue`],
        ['POST', `${simulator.url}/v2/enqueue`],
      ],
    )
    assert.doesNotMatch(stdout, new RegExp(KEY))
    assert.deepEqual(simulator.requests, [])
  })

  test(`${shell}: trigger prints the dedup key`, { skip }, async () => {
    const env = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: simulator.url }
    const { stdout } = await run(['trigger', '--summary', 'Stuck'], env)
    assert.match(stdout, /^pagerduty-alert\/[0-9a-f]{32}\n$/)
    assert.equal(simulator.alerts[0]?.dedupKey, stdout.trim())
  })

  test(
    `${shell}: the address may have the path of the requests, as PagerDuty shows it`,
    { skip },
    async () => {
      const env = { PAGERDUTY_TOKEN: KEY, PAGERDUTY_EVENTS_URL: `${simulator.url}//v2/enqueue/` }
      assert.equal((await run(['change', '--summary', 'Deployed'], env)).code, 0)
      assert.deepEqual(
        simulator.requests.map(({ path }) => path),
        ['/v2/change/enqueue'],
      )
    },
  )

  test(`${shell}: run passes everything through and ends with the command's status`, { skip }, async () => {
    const script = 'cat; printf "%s|" "$@"; echo oops >&2; exit 3'
    const { code, stdout, stderr } = await runScript(
      shell,
      ['run', 'sh', '-c', script, 'sh', 'a b', '--flag'],
      {
        env: ENV,
        stdin: 'in',
      },
    )
    assert.deepEqual([code, stdout], [3, 'ina b|--flag|'])
    assert.match(stderr, /^oops$/m)
    const { payload } = simulator.requests[0]!.json as {
      payload: { custom_details: Record<string, unknown> }
    }
    assert.equal(payload.custom_details['exit_code'], 3)
    assert.equal(typeof payload.custom_details['duration_seconds'], 'number')
  })

  test(
    `${shell}: run reports a success, and its status is the command's whatever happens to the report`,
    { skip },
    async () => {
      assert.equal((await run(['run', '--environment', 'production', '--', 'true'])).code, 0)
      assert.deepEqual(
        simulator.requests.map(({ path }) => path),
        ['/v2/change/enqueue', '/v2/enqueue'],
      )
      assert.equal((await run(['run', 'true'], { PAGERDUTY_TOKEN: 'wrong' })).code, 0)
      assert.equal((await run(['run', 'sh', '-c', 'exit 9'], {})).code, 9)
      assert.equal((await run(['run', '/nowhere/deploy.sh'])).code, 127)
    },
  )

  for (const { signal, ends } of [
    { signal: 'SIGTERM', ends: [5, 'ready\nstopping\n'] },
    { signal: 'SIGQUIT', ends: [5, 'ready\nstopping\n'] }, // a shell's background commands ignore it
    { signal: 'SIGUSR1', ends: [128 + constants.signals.SIGUSR1, 'ready\n'] },
    { signal: 'SIGALRM', ends: [128 + constants.signals.SIGALRM, 'ready\n'] },
  ] as const)
    test(
      `${shell}: run passes ${signal} on and reports a cancellation, which pages nobody`,
      { skip },
      async () => {
        const [command, ...applet] = SHELLS[shell]
        const script = 'trap "echo stopping; exit 5" TERM; echo ready; while :; do sleep 0.05; done'
        const child = spawn(command, [...applet, SCRIPT, 'run', 'sh', '-c', script], {
          env: { PATH: process.env['PATH'], ...ENV },
          stdio: ['ignore', 'pipe', 'ignore'],
        })
        let stdout = ''
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          stdout += text
          if (text.includes('ready')) child.kill(signal)
        })
        const [code] = (await once(child, 'close')) as [number]
        assert.deepEqual([code, stdout], ends)
        assert.deepEqual(
          simulator.requests.map(({ path }) => path),
          ['/v2/change/enqueue'],
        )
        assert.match(simulator.changes[0]?.payload.summary ?? '', /was cancelled/)
      },
    )

  test(
    `${shell}: a sender that is interrupted while it waits ends at once, with 128 and the signal`,
    { skip },
    async () => {
      simulator.behave({ behaviour: { kind: 'answer', status: 503, headers: { 'retry-after': '240' } } })
      const [command, ...applet] = SHELLS[shell]
      const child = spawn(command, [...applet, SCRIPT, 'failure', '--deadline', '10m'], {
        env: { PATH: process.env['PATH'], ...ENV, TMPDIR: scratch },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      child.stderr.once('data', () => child.kill('SIGTERM'))
      const startedAt = performance.now()
      const [code] = (await once(child, 'exit')) as [number]
      assert.equal(code, 143)
      assert.ok(performance.now() - startedAt < 120_000)
      assert.deepEqual(
        readdirSync(scratch).filter((name) => name.startsWith('tmp.')),
        [],
      )
    },
  )

  test(`${shell}: no key and no token is ever an argument of a process`, { skip }, async () => {
    // Other tests run at the same time, and some give the usual key to docker as an argument.
    const key = randomBytes(16).toString('hex')
    simulator.behave({ behaviour: { kind: 'usual', delayMs: 400 } })
    simulator.behave({ endpoint: '/failure', behaviour: { kind: 'answer', status: 202, delayMs: 400 } })
    for (const env of [{ ...ENV, PAGERDUTY_TOKEN: key }, RELAY]) {
      const running = run(['failure'], env)
      const state = { isOver: false }
      void running.finally(() => (state.isOver = true))
      let seen = 0
      while (!state.isOver) {
        const lines = commandLines()
        seen += lines.filter((line) => line.includes('curl')).length
        assert.deepEqual(
          lines.filter((line) => line.includes(key) || line.includes(TOKEN)),
          [],
        )
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      assert.equal((await running).code, 0)
      assert.ok(seen > 0, 'curl was not seen running')
    }
  })

  test(`${shell}: started tells a relay, which pages if no outcome follows`, { skip }, async () => {
    const relay = await startRelay({
      ...CODESHIP_PRO,
      PAGERDUTY_TOKEN: KEY,
      PAGERDUTY_EVENTS_URL: simulator.url,
    })
    try {
      const env = { PAGERDUTY_RELAY_URL: relay.url, PAGERDUTY_ENVIRONMENT: 'production' }
      assert.equal((await run(['started', '--within', 'soon'], env)).code, 64)
      assert.equal((await run(['started', '--within', '300ms'], env)).code, 0)
      await simulator.waitForRequests(1, 60_000)
      const [alert] = simulator.alerts
      assert.equal(alert?.dedupKey, 'deploy/acme/shop/production')
      assert.match(alert.title, /and never ended$/)
      assert.equal((await run(['success'], env)).code, 0)
      assert.equal(alert.status, 'resolved')
    } finally {
      await relay.stop('SIGKILL')
    }
  })

  test(`${shell}: a relay gets a form with what was set, and the bearer token`, { skip }, async () => {
    simulator.behave({ endpoint: '/failure', behaviour: { kind: 'answer', status: 202 } })
    const details = '{"note":"50 % & more = ü"}'
    const env = { ...RELAY, PAGERDUTY_ENVIRONMENT: 'production', PAGERDUTY_DETAILS: details }
    const { code, stderr } = await run(['run', 'sh', '-c', 'exit 4'], env)
    assert.equal(code, 4)
    assert.match(stderr, /^pagerduty\.sh: failure: accepted \(202\)$/m)
    const [request] = simulator.requests
    assert.equal(request?.path, '/failure')
    assert.equal(request.headers.authorization, `Bearer ${TOKEN}`)
    assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded')
    assert.deepEqual(Object.fromEntries(new URLSearchParams(request.body.toString())), {
      environment: 'production',
      details,
      exit_code: '4',
    })
  })
}

test(
  'busybox alone is enough for a relay: no curl, no jq, no Node',
  { skip: skipWithout('busybox') },
  async () => {
    const bin = join(scratch, 'busybox')
    await runProcess(['mkdir', bin], { env: { PATH: process.env['PATH'] ?? '' } })
    await runProcess([programPath('busybox'), '--install', '-s', bin])
    const runBusybox = async (env: Record<string, string>, ...args: string[]): Promise<Run> =>
      await runProcess([join(bin, 'sh'), SCRIPT, ...args], { env: { ...env, PATH: bin } })
    const { PAGERDUTY_RELAY_TOKEN: _, ...env } = RELAY
    simulator.behave({ times: 1, behaviour: { kind: 'answer', status: 503 } })
    simulator.behave({ endpoint: '/success', times: 1, behaviour: { kind: 'answer', status: 200 } })
    const good = await runBusybox({ ...env, PAGERDUTY_SUMMARY: 'Ü "x" & y' }, 'success')
    assert.equal(good.code, 0, good.stderr)
    assert.deepEqual(
      simulator.requests.map(({ path: to }) => to),
      ['/success', '/success'],
    )
    assert.equal(simulator.requests[1]?.body.toString(), simulator.requests[0]?.body.toString())
    assert.equal(new URLSearchParams(simulator.requests[1]?.body.toString()).get('summary'), 'Ü "x" & y')

    assert.equal((await runBusybox(env, 'failure')).code, 65) // the simulator is not a relay: 404
    const token = await runBusybox(RELAY, 'failure')
    assert.equal(token.code, 78)
    assert.match(token.stderr, /PAGERDUTY_RELAY_TOKEN needs curl or GNU wget/)
    const direct = await runBusybox(ENV, 'failure')
    assert.equal(direct.code, 78)
    assert.match(direct.stderr, /curl is required unless a relay is set/)
  },
)

test(
  'a long dedup key ends in the same hash without sha256sum',
  { skip: skipWithout('curl', 'jq', 'openssl') },
  async () => {
    const bin = await folderOf('awk cat cut date head jq mktemp od openssl rm sed tr uname')
    const env = { ...ENV, PAGERDUTY_DEDUP_KEY: 'long/'.repeat(60) }
    const keys = await Promise.all(
      [process.env['PATH'] ?? '', bin].map(async (path) => {
        const { stdout } = await runProcess(['/bin/sh', SCRIPT, 'resolve', '--dry-run'], {
          env: { ...env, PATH: path },
        })
        return (JSON.parse(stdout) as { body: { dedup_key: string } }).body.dedup_key
      }),
    )
    assert.match(keys[0] ?? '', /-[0-9a-f]{64}$/)
    assert.equal(keys[1], keys[0])
  },
)

test(
  'GNU wget replaces curl, and keeps the token out of its arguments',
  { skip: skipWithout('wget', 'linux') },
  async () => {
    const bin = await folderOf('awk cat cut date grep head mktemp od rm sed sleep tail tr uname wget')
    simulator.behave({ endpoint: '/success', behaviour: { kind: 'answer', status: 202, delayMs: 300 } })
    const running = runProcess(['/bin/sh', SCRIPT, 'success'], { env: { ...RELAY, PATH: bin } })
    await simulator.waitForRequests(1)
    assert.deepEqual(
      commandLines().filter((line) => line.includes(TOKEN)),
      [],
    )
    const { code, stderr } = await running
    assert.equal(code, 0, stderr)
    assert.equal(simulator.requests[0]?.headers.authorization, `Bearer ${TOKEN}`)
  },
)

/** A folder with links to these programs, as a `PATH` that has nothing else. */
async function folderOf(tools: string): Promise<string> {
  const bin = mkdtempSync(join(scratch, 'bin-'))
  const env = { PATH: process.env['PATH'] ?? '' }
  for (const tool of tools.split(' ')) {
    const { stdout } = await runProcess(['sh', '-c', `command -v ${tool}`], { env })
    symlinkSync(stdout.trim(), join(bin, tool))
  }
  return bin
}

/** The command line of every process of this machine. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
      } catch {
        return [] // it has ended
      }
    })
}
