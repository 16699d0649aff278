import { composeSender, composeTransport } from '../compose.ts'
import type { Session } from '../cli/session.ts'
import { eventInput } from '../core/build-event.ts'
import { planEvents } from '../core/plan-events.ts'
import type { CommandResult } from '../core/summary.ts'
import { addressEvents, type Post } from '../delivery/request.ts'
import { connectInMemory } from '../delivery/server-in-memory.ts'
import type { Transport } from '../delivery/transport.ts'
import type { Log } from '../log.ts'
import { version } from '../version.ts'
import { maskedRun } from './masked-run.ts'
import { printRequests, reportDeliveries } from './send-posts.ts'

/** A server name that cannot exist (RFC 6761), in case anything should ever look it up. */
const NOWHERE = 'http://rehearsal.invalid'
const MOST_CONNECTIONS = 6

/**
 * Does what the report of a watched command will do, while the command runs: plans the events of a success and of a
 * failure, and sends them to a server in memory. Everything is loaded and compiled then, so that the report waits for
 * nothing but the network. It prints nothing, and connects only for the report itself.
 * @returns a transport that has a connection for each event of a success; undefined for a dry run
 */
export async function rehearseReport(session: Session): Promise<Transport | undefined> {
  const { config } = session
  const quiet = { ...session, io: { ...session.io, writeOut: ignore, writeErr: ignore }, log: SILENT_LOG }
  const delivery = { ...config.delivery, eventsUrl: NOWHERE }
  const successes = planPosts(session, 'success', { durationSeconds: 1 })
  const shown = maskedRun({ argv: [], tail: undefined }, session, true)
  const failures = planPosts(session, 'failure', { durationSeconds: 1, exitCode: 1, ...shown })
  const posts = [...successes, ...failures].map(({ event, destination }) => ({
    event,
    destination: { ...destination, baseUrl: NOWHERE },
  }))
  if (config.dryRun) {
    printRequests(quiet.io, { posts, delivery })
    return undefined
  }
  const inMemory = composeTransport(delivery, { connect: connectInMemory })
  const sender = composeSender({
    delivery,
    transport: inMemory,
    startedAtMs: performance.now(),
    version,
    signal: session.io.signal,
    onAttempt: ignore,
    onRetry: ignore,
  })
  const rehearsing = { ...quiet, json: true, config: { ...config, confirm: false } }
  await reportDeliveries(rehearsing, await sender.send(posts, 1))
  await inMemory.close()
  return composeTransport(config.delivery, { warm: Math.min(successes.length, MOST_CONNECTIONS) })
}

function planPosts(session: Session, command: 'success' | 'failure', result: CommandResult): Post[] {
  const { config, identity } = session
  const { fields, choices, as, resolve } = config.event
  const nowIso = new Date().toISOString()
  const input = eventInput({ fields, choices, build: config.build, identity, result, nowIso })
  const { events } = planEvents(command, input, { as, resolve, randomKey: () => 'rehearsal' })
  return addressEvents(events, config.delivery)
}

const SILENT_LOG: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore }

function ignore(): void {}
