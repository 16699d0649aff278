/** How to start the program. */
export interface Start {
  /** The inputs as variables, and those of the job that no input replaces. */
  readonly env: Readonly<Record<string, string>>
  readonly args: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** Variables that the program would read instead of the one that an input becomes. */
const REPLACED: Readonly<Record<string, readonly string[]>> = {
  TOKEN: ['PAGERDUTY_ROUTING_KEY', 'PAGERDUTY_API_TOKEN', 'PAGERDUTY_RELAY_URL'],
  'EVENTS-URL': ['PAGERDUTY_RELAY_URL'],
  REGION: ['PAGERDUTY_EVENTS_URL', 'PAGERDUTY_API_URL'],
}

/** Inputs that do not become variables. */
const NO_VARIABLES: ReadonlySet<string> = new Set(['COMMAND', 'STEP', 'MATRIX'])

/** The inputs that have a value, by the name that the runner gives them: `dedup-key` is `DEDUP-KEY`. */
export function readInputs(env: Environment): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(env).flatMap(([name, value = '']): [string, string][] =>
      name.startsWith('INPUT_') && value.trim() !== '' ? [[name.slice('INPUT_'.length), value]] : [],
    ),
  )
}

/**
 * Turns inputs into the program's variables and options. An input wins over every variable of the job: a token that is
 * given here must not lose to a key of another service that the job happens to have.
 */
export function prepareStart(env: Environment, inputs: ReadonlyMap<string, string>): Start {
  const settings = [...inputs].filter(([name]) => !NO_VARIABLES.has(name))
  const variables = settings.map(([name, value]): [string, string] => [variableOf(name), value])
  const replaced = new Set([
    ...variables.map(([name]) => name),
    ...settings.flatMap(([name]) => REPLACED[name] ?? []),
  ])
  // Windows takes names in any case.
  const isKept = (name: string): boolean =>
    !/^INPUT_/i.test(name) && !replaced.has(name.toUpperCase().replace(/_FILE$/, ''))
  const kept = Object.entries(env).filter(([name]) => isKept(name))
  const step = inputs.get('STEP')?.trim() ?? legOf(inputs.get('MATRIX'))
  const command = inputs.get('COMMAND')?.trim()
  return {
    env: Object.fromEntries([...kept, ...variables]) as Record<string, string>,
    args: [
      ...(command === undefined ? [] : [command]),
      ...(step === undefined ? [] : [`--step=${step}`]),
      '--json',
    ],
  }
}

function variableOf(input: string): string {
  return `PAGERDUTY_${input.replaceAll('-', '_')}`
}

/** The job's leg of its matrix in GitHub's own words, such as `eu, 24`; undefined for a job without a matrix. */
function legOf(matrix = 'null'): string | undefined {
  const leg = valuesIn(parse(matrix)).join(', ')
  return leg === '' ? undefined : leg
}

function valuesIn(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(valuesIn)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? [`${value}`]
    : []
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
