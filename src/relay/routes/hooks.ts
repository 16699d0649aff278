import type { FastifyReply } from 'fastify'
import { withRepositoryUrl } from '../../ci/repository-url.ts'
import { eventInput, type EventInput } from '../../core/build-event.ts'
import { identify } from '../../core/identity.ts'
import { cleanObject, isObject, parseJson } from '../../core/json.ts'
import { buildStarted } from '../../core/started.ts'
import { formatOutput } from '../../core/mask-output.ts'
import { acceptOutcome } from '../accept-outcome.ts'
import { acceptStart } from '../accept-start.ts'
import type { Call, RelayDeps } from '../context.ts'
import { describeWebhook, type RouteGroup } from '../describe-route.ts'
import { ARGOCD_HOOK } from '../hooks/argocd.ts'
import { CODESHIP_HOOK } from '../hooks/codeship.ts'
import { FLUX_HOOK } from '../hooks/flux.ts'
import { GITHUB_HOOK } from '../hooks/github.ts'
import { GITLAB_HOOK } from '../hooks/gitlab.ts'
import type { Hook, HookReport, HookRequest } from '../hooks/hook.ts'
import { RELAY_LIMITS } from '../limits.ts'
import { sendProblem } from '../problem.ts'
import { sendJson } from '../result.ts'

/** The systems, by the last part of their route. */
const HOOKS: Readonly<Record<string, { readonly name: string; readonly hook: Hook }>> = {
  codeship: { name: 'Codeship', hook: CODESHIP_HOOK },
  github: { name: 'GitHub', hook: GITHUB_HOOK },
  gitlab: { name: 'GitLab', hook: GITLAB_HOOK },
  argocd: { name: 'Argo CD', hook: ARGOCD_HOOK },
  flux: { name: 'Flux', hook: FLUX_HOOK },
}

/** Webhooks of systems that deploy. They prove who sent them by the hooks' own secret, not by the relay's token. */
export const HOOK_ROUTES: RouteGroup = {
  mount: (app, deps) => {
    app.addHook('onRequest', (_request, reply, done) =>
      deps.config.hookSecret === undefined ? sendProblem(reply, { status: 404, detail: OFF }) : done(),
    )
    // A signature is made over the bytes as they were sent.
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    for (const [system, { hook }] of Object.entries(HOOKS))
      app.post(`/hooks/${system}`, (request, reply) => takeWebhook(hook, { request, reply, deps }))
  },
  paths: Object.fromEntries(
    Object.entries(HOOKS).map(([system, { name }]) => [`/hooks/${system}`, { post: describeWebhook(name) }]),
  ),
}

const OFF = 'webhooks are off: set PAGERDUTY_HOOK_SECRET to the secret that the system signs them with'
const FORGED = 'the webhook is not signed with the secret in PAGERDUTY_HOOK_SECRET, or does not present it'

async function takeWebhook(hook: Hook, call: Call): Promise<FastifyReply> {
  const { request, reply, deps } = call
  const { hookSecret } = deps.config
  const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const unread: HookRequest = {
    headers: textsOf(request.headers),
    query: textsOf(request.query as Record<string, unknown>),
    rawBody,
    body: undefined,
  }
  if (hookSecret === undefined || !hook.isAuthentic(unread, hookSecret.reveal()))
    return sendProblem(reply, { status: 403, detail: FORGED })
  const body = tryParse(rawBody)
  if (body === undefined)
    return sendProblem(reply, {
      status: 400,
      detail: 'the webhook is not JSON: choose the content type application/json',
    })
  const report = hook.read({ ...unread, body: isObject(body) ? deps.config.mask(cleanObject(body)) : {} })
  if (typeof report === 'string') return sendJson(reply, 200, { status: 'ignored', reason: report })
  const input = inputOf(report, deps)
  if (report.state !== 'started') return await acceptOutcome(report.state, input, call)
  return input.identity.dedupKey === undefined
    ? sendJson(reply, 200, { status: 'ignored', reason: 'the webhook names no repository' })
    : await acceptStart({ event: buildStarted(input) }, call)
}

function tryParse(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

/** The members that are texts. A header or parameter that is given twice counts as left out. */
function textsOf(members: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

function inputOf(report: HookReport, { config, hostname }: RelayDeps): EventInput {
  const { event, outputSecrets } = config
  const { environment, output, startedAtMs, endedAtMs } = report
  const build = withRepositoryUrl(report.build, undefined)
  const words =
    output === undefined ? undefined : formatOutput(output, RELAY_LIMITS.outputLines, outputSecrets)
  const isTimeKnown = startedAtMs !== undefined && endedAtMs !== undefined && endedAtMs >= startedAtMs
  // The relay's own dedup key, step and source are those of one build, and webhooks come from many.
  const named =
    environment === undefined ? event.choices.environment : { value: environment, origin: WEBHOOK }
  const choices = { environment: named }
  return eventInput({
    fields: {
      ...event.fields,
      ...(endedAtMs !== undefined && { timestamp: new Date(endedAtMs).toISOString() }),
    },
    build,
    choices,
    identity: identify(choices, build, hostname),
    result: {
      ...(words !== undefined && { output: words }),
      ...(startedAtMs !== undefined && { startedAt: new Date(startedAtMs).toISOString() }),
      ...(isTimeKnown && { durationSeconds: (endedAtMs - startedAtMs) / 1000 }),
    },
    nowIso: new Date().toISOString(),
  })
}

const WEBHOOK = 'the webhook'
