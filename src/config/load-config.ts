import type { Build, Environment } from '../core/build.ts'
import { parseRepositoryUrl, withRepositoryUrl } from '../ci/repository-url.ts'
import { Failure } from '../core/failure.ts'
import type { Gathered, Problem } from './gather.ts'
import { plainHttpWarning, readDeliveryConfig, type DeliveryConfig } from './read-delivery.ts'
import { readEventConfig, type EventConfig } from './read-event.ts'
import { readPrintConfig, type PrintConfig } from './read-printing.ts'
import { readRunConfig, type RunConfig } from './read-run.ts'
import { readSpoolConfig, type SpoolConfig } from './read-spool.ts'
import { createReader } from './reader.ts'

/** Everything that one invocation of a sending command was told, validated and frozen. */
export interface Config {
  readonly event: EventConfig
  readonly delivery: DeliveryConfig
  readonly run: RunConfig
  /** Absent where nothing is kept. */
  readonly spool?: SpoolConfig
  readonly build: Build
  /** Print the requests, make none. */
  readonly dryRun: boolean
  readonly warnings: readonly string[]
}

/** What surrounds an invocation: the variables, and the build that they tell of. */
export interface Surroundings {
  readonly env: Environment
  readonly build: Build
}

/**
 * Reads the whole configuration of a sending command.
 * @param needsKey false where the event itself may bring the key along
 * @throws Failure that lists every problem, a line each: kind `config` where a key or a file is at fault, else `usage`
 */
export function loadConfig(
  { values, problems: found }: Gathered,
  { env, build }: Surroundings,
  needsKey: boolean,
): Config {
  const problems = [...found]
  const reader = createReader(values, problems)
  const repositoryUrl = reader.one('repositoryUrl', parseRepositoryUrl)
  const event = readEventConfig(reader)
  const delivery = readDeliveryConfig(reader, env)
  const run = readRunConfig(reader)
  const spool = readSpoolConfig(reader)
  readPrintConfig(reader)
  const dryRun = reader.isSet('dryRun')
  const isKeyMissing = delivery.keys.length === 0 && delivery.relay === undefined
  const hasKeyProblem = problems.some(({ kind }) => kind === 'config')
  if (isKeyMissing && needsKey && !dryRun && !hasKeyProblem)
    problems.push({ kind: 'config', message: KEY_MISSING })
  throwProblems(problems)
  return Object.freeze({
    event,
    delivery,
    run,
    ...(spool && { spool }),
    build: withRepositoryUrl(build, repositoryUrl),
    dryRun,
    warnings: [
      ...plainHttpWarning(delivery),
      ...(isKeyMissing && needsKey && dryRun ? [`${KEY_MISSING}; a real run would stop here`] : []),
    ],
  })
}

/** What to do when there is nothing to send with. */
export const KEY_MISSING =
  'no key is set: put the Integration Key of an Events API v2 integration into PAGERDUTY_TOKEN ' +
  '(or PAGERDUTY_TOKEN_FILE), or the address of a relay into PAGERDUTY_RELAY_URL'

/**
 * How results and errors are printed. Never fails: they have to be printed also when the rest of the configuration is
 * wrong, which `loadConfig` then reports.
 */
export function loadPrintConfig({ values }: Gathered): PrintConfig {
  return readPrintConfig(createReader(values, []))
}

function throwProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return
  const kind = problems.some((problem) => problem.kind === 'config') ? 'config' : 'usage'
  throw new Failure(kind, problems.map(({ message }) => message).join('\n'))
}
