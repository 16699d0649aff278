import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { detectBuild } from '../src/ci/detect-build.ts'
import { withRepositoryUrl } from '../src/ci/repository-url.ts'
import { main } from '../src/main.ts'
import type { Io } from '../src/cli/session.ts'
import type { Build, BuildField } from '../src/core/build.ts'
import { identify } from '../src/core/identity.ts'
import type { Json } from '../src/core/json.ts'
import { planEvents } from '../src/core/plan-events.ts'
import { LIMITS, type Event, type EventBody } from '../src/core/event.ts'
import { readFixture, type CiCase } from '../test/support/ci-fixtures.ts'
import { fillIn } from './fill-in.ts'

const NOW = '2026-03-01T12:00:00.000Z'
const KEY = '0123456789abcdef0123456789abcdef'

/** `docs/events.md` with the events that the program makes of the environments in `test/fixtures/ci`; a test compares it. */
export async function eventsPage(page: string): Promise<string> {
  const [codeship] = readFixture('codeship-pro')
  if (codeship === undefined) throw new Error('no fixture of Codeship Pro')
  const names = globSync('test/fixtures/ci/*.json')
    .map((file) => basename(file, '.json'))
    .toSorted()
  const sections = []
  for (const name of names) sections.push(await providerSection(name))
  return fillIn(page, {
    commands: await commandSections(codeship),
    CIs: sections.join('\n'),
    'summary limit': String(LIMITS.summaryChars),
    'dedup key limit': String(LIMITS.dedupKeyChars),
    'links limit': String(LIMITS.changeLinks),
    'body limit': LIMITS.bodyBytes.toLocaleString('en'),
  })
}

/** What each command sends, from a step on Codeship Pro. */
async function commandSections([env]: CiCase): Promise<string> {
  const commands: readonly (readonly [title: string, args: readonly string[]])[] = [
    ['success', ['success', '--environment', 'production']],
    ['failure', ['failure', '--environment', 'production', '--step', 'migrate']],
    ['change', ['change', '--summary', 'Feature flag checkout-v2 on', '--detail', 'flag=checkout-v2']],
    [
      'trigger',
      [
        'trigger',
        '--summary',
        'Backup of {{repository}} is late',
        '--severity',
        'warning',
        '--dedup-key',
        'backup',
      ],
    ],
    ['acknowledge', ['acknowledge', '--dedup-key', 'backup']],
    ['resolve', ['resolve', '--dedup-key', 'backup']],
  ]
  const shown = { ...env, PAGERDUTY_REPOSITORY_URL: 'git@github.com:acme/shop.git' }
  const parts = []
  for (const [title, args] of commands) {
    const { requests, words } = await dryRun(args, shown)
    const line = `$ pagerduty-alert ${args.map((arg) => (/[\s{]/.test(arg) ? `"${arg}"` : arg)).join(' ')} --dry-run`
    parts.push(
      `### ${title}\n\n\`\`\`console\n${line}\n${words}\`\`\`\n\n${requests.map(jsonBlock).join('\n')}`,
    )
  }
  const run = await failedRun(shown)
  const intro = '`run -- ./deploy.sh`, when the command exits with 3, sends:'
  parts.push(`### run\n\n${intro}\n\n${run.map(({ body }) => jsonBlock(body)).join('\n')}`)
  return parts.join('\n')
}

/** The requests that the program would make, without the key, and what it prints. */
async function dryRun(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ requests: unknown[]; words: string }> {
  let out = ''
  let words = ''
  const io: Io = {
    argv: [...args, '--dry-run', ...(/resolve|acknowledge/.test(args[0] ?? '') ? [] : ['--timestamp', NOW])],
    env: { ...env, PAGERDUTY_TOKEN: KEY },
    hostname: 'build-host',
    readFile: () => Promise.resolve(''),
    recall: () => '',
    readStdin: () => Promise.resolve(''),
    isStdinTerminal: false,
    writeOut: (text) => (out += text),
    writeErr: (text) => (words += text),
    signal: new AbortController().signal,
    takeSignals: () => undefined,
    kill: () => undefined,
    startedAtMs: 0,
  }
  await main(io)
  const requests = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { body: unknown })
  return { requests: requests.map(({ body }) => body), words }
}

/** The event of a `run` whose command has failed, on Codeship Pro. */
export async function failedRun(env: Readonly<Record<string, string>>): Promise<readonly Event[]> {
  const build = withRepositoryUrl(await detectBuild(env, () => ''), 'https://github.com/acme/shop')
  const identity = identify(
    { environment: { value: 'production', origin: '--environment' } },
    build,
    'build-host',
  )
  const result = {
    exitCode: 3,
    durationSeconds: 42.7,
    output: 'Migrating shop\nERROR: relation "orders" does not exist',
  }
  return planEvents(
    'failure',
    { fields: {}, build, identity, result, nowIso: NOW },
    { as: 'change', resolve: 'auto', randomKey: () => 'random' },
  ).events
}

/** The failure alert of a provider's first environment, as a responder reads it. */
async function providerSection(name: string): Promise<string> {
  const [first] = readFixture(name)
  if (first === undefined) throw new Error(`no environment in ${name}`)
  const [env, , event] = first
  const build = withRepositoryUrl(await detectBuild(env, () => JSON.stringify(event)), undefined)
  const identity = identify({}, build, 'build-host')
  const input = { fields: {}, build, identity, result: {}, nowIso: NOW }
  const options = { as: 'change', resolve: 'auto', randomKey: () => 'random' } as const
  const [failure] = planEvents('failure', input, options).events
  const body: EventBody = failure?.body ?? {}
  const { payload, links = [] } = body
  const details = Object.entries(payload?.custom_details ?? {}).map(([detail, value]) => {
    const origin = detail === 'environment' ? identity.environment?.origin : originOf(build, detail)
    return `| \`${detail}\` | ${cell(value)} | ${origin ?? ''} |`
  })
  const shownLinks = links.map(({ href, text }) => `- ${text ?? ''}: \`${href}\``)
  return [
    `### ${TITLES[name] ?? build.ci ?? name}\n`,
    `> **${payload?.summary}**\n>`,
    `> ${payload?.severity} · source ${payload?.source} · dedup key \`${body.dedup_key}\``,
    ...(shownLinks.length > 0 ? ['', ...shownLinks] : []),
    `\n| detail | value | from |\n|---|---|---|\n${details.join('\n')}\n`,
  ].join('\n')
}

const TITLES: Readonly<Record<string, string>> = {
  'codeship-basic': 'Codeship Basic',
  'codeship-bridge': "Codeship's variables, exported on GitHub Actions",
  'codeship-pro': 'Codeship Pro',
  elsewhere: 'Travis CI, and others through `env-ci`',
}

function originOf(build: Build, detail: string): string | undefined {
  const field = detail.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()) as BuildField
  return build.origins[field]
}

function cell(value: Json): string {
  return String(value)
    .replaceAll('\n', ' ⏎ ')
    .replaceAll('|', String.raw`\|`)
}

function jsonBlock(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value, undefined, 2)}\n\`\`\`\n`
}
