import { buildChange, buildFollowUp, buildTrigger, eventInput, type EventInput } from '../core/build-event.ts'
import type { Action, Event, EventBody, Payload } from '../core/event.ts'
import { Failure } from '../core/failure.ts'
import { blankComments, parseJson } from '../core/json.ts'
import { parseRoutingKeys, type RoutingKey } from '../core/routing-key.ts'
import { readUserEvent } from '../core/event-document.ts'
import type { Options } from '../config/sources.ts'
import { fileErrorReason } from '../core/file-error.ts'
import { keyMissing } from '../config/load.ts'
import { SETTING_LIST } from '../config/settings.ts'
import type { CommandLine } from '../cli/args.ts'
import { takesSetting } from '../cli/command-table.ts'
import { explainIdentity } from '../cli/report.ts'
import { addressPosts, printRequests, reportDeliveries, sendPosts } from './send-posts.ts'
import { randomDedupKey, type Io, type Session } from '../cli/session.ts'

/**
 * `send [FILE]`: sends one event that the user wrote as PagerDuty JSON, normalized and completed from the build.
 * The first operand is a path, or `-` or nothing for stdin.
 * @returns the exit status
 */
export async function send(
  session: Session,
  { operands, options }: Pick<CommandLine, 'operands' | 'options'>,
): Promise<number> {
  const { io, config, log, identity } = session
  const { build, event: settings } = config
  const { fields, choices } = settings
  const nowIso = new Date().toISOString()
  const input = eventInput({ fields, choices, build, identity, nowIso })
  const document = parseDocument(await readDocument(io, operands[0]))
  const { event, routingKey, warnings } = readUserEvent(document, {
    lookUp: (name) => io.env[name],
    isSecret: (name) => SETTING_LIST.some(({ secret, variable }) => secret === true && variable === name),
    secrets: config.delivery.secrets,
    defaults: (kind, action) => defaultBody(kind, action, input),
  })
  for (const warning of warnings) log.warn(warning)
  refuseUnused(event, options)
  if (routingKey === PLACEHOLDER) log.warn(PLACEHOLDER_WARNING)
  const ownKey = routingKey === undefined || routingKey === PLACEHOLDER ? undefined : readOwnKey(routingKey)
  const missing = ownKey === undefined && !config.dryRun ? keyMissing(config) : undefined
  if (missing !== undefined) throw new Failure('config', `${missing}, or a routing_key in the event`)
  if (config.dryRun) explainIdentity([event], identity, log)
  const addressed = await addressPosts(session, [event], ownKey)
  if (!config.dryRun) return await reportDeliveries(session, await sendPosts(session, addressed))
  printRequests(io, addressed)
  return 0
}

/** @throws Failure of kind `usage` for options that do not apply to this kind of event */
function refuseUnused({ kind, body }: Event, options: Options): void {
  const command = kind === 'change' ? 'change' : (body.event_action ?? 'trigger')
  const unused = SETTING_LIST.filter(
    (setting) => setting.option && options[setting.option] && !takesSetting(command, setting),
  )
  if (unused.length === 0) return
  const names = unused.map(({ option }) => `--${option}`).join(', ')
  throw new Failure('usage', `${names} cannot apply: the event is ${KINDS[command]}`)
}

const KINDS = {
  change: 'a change event',
  trigger: 'a trigger',
  acknowledge: 'an acknowledge',
  resolve: 'a resolve',
} as const

/** The placeholder for the key in PagerDuty's documentation and on Codeship's PagerDuty page. */
const PLACEHOLDER = 'samplekeyhere'
const PLACEHOLDER_WARNING =
  'event: routing_key: this is the placeholder of an example, so the configured key is used'

async function readDocument(io: Io, operand = '-'): Promise<string> {
  const isStdin = operand === '-'
  try {
    return await (isStdin ? io.readStdin() : io.readFile(operand))
  } catch (error) {
    if (isStdin && io.signal.aborted) throw error
    const reason = fileErrorReason(error)
    const message = isStdin
      ? `the event on stdin cannot be read: ${reason}`
      : `the event's FILE cannot be read: ${reason}`
    throw new Failure('usage', message, { cause: error })
  }
}

function parseDocument(text: string): unknown {
  try {
    return parseJson(blankComments(text.replace(/^\uFEFF/, '')))
  } catch (error) {
    // The parser's own message quotes the text, which may contain a key.
    const at = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined
    const where = at === undefined ? '' : ` near line ${text.slice(0, Number(at)).split('\n').length}`
    throw new Failure(
      'usage',
      text.trim() === '' ? 'the event is empty' : `the event is not valid JSON${where}`,
    )
  }
}

function readOwnKey(text: string): RoutingKey {
  try {
    const [key] = parseRoutingKeys(text)
    if (key !== undefined && !text.includes(',') && !text.includes('=')) return key
  } catch (error) {
    if (error instanceof Failure)
      throw new Failure('config', `event: routing_key: ${error.message}`, { cause: error })
    throw error
  }
  throw new Failure('config', 'event: routing_key: must be a single key')
}

/**
 * Values from the build for what the event leaves out. Without a build or a `--summary` no summary is invented: an event that
 * says nothing is a mistake.
 */
function defaultBody(kind: Event['kind'], action: Action, input: EventInput): EventBody {
  const { identity, build, fields } = input
  const dedupKey = identity.dedupKey?.value
  if (kind === 'alert' && action !== 'trigger')
    return dedupKey === undefined ? {} : buildFollowUp(action, dedupKey).body
  const { body } =
    kind === 'change'
      ? buildChange(input, { outcome: 'success' })
      : buildTrigger(input, { outcome: 'failure' }, dedupKey ?? randomDedupKey())
  const isKnown = fields.summary !== undefined || build.repository !== undefined || build.commit !== undefined
  if (isKnown || body.payload === undefined) return body
  const { summary: _, ...payload } = body.payload
  return { ...body, payload: payload as Payload }
}
