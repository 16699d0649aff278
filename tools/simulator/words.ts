import type { Problem } from './validate.ts'

/**
 * A problem in the words of the alert endpoint, spelling mistake included.
 *
 * Observed are those about a routing key, a missing action, source or severity, a wrong severity and a long summary;
 * the others follow their pattern.
 */
export function alertWords(problem: Problem): string {
  const { at } = problem
  switch (problem.fault) {
    case 'blank':
      return at === 'routing_key' ? `'${at}' cannot be blank` : `'${at}' is missing or blank`
    case 'wrong-length':
      return `Length of '${at}' is incorrect (should be 32 characters)`
    case 'not-alphanumeric':
      return `'${at}' cannot contain non-alphanumeric characters.`
    case 'too-long':
      return `'${at.replace('payload.', '')}' is too long (maiximum is ${problem.max} characters)`
    case 'not-a-choice':
      return `'${at}' is invalid (must be one of the following: ${eitherOf(problem.choices)})`
    case 'invalid':
    case 'too-many':
      return `'${at}' is invalid`
  }
}

/**
 * A problem in the words of the change endpoint, which have nothing in common with the other's.
 *
 * Known are the one about links (observed) and the one about a blank summary (an example in PagerDuty's Go client).
 * Both are worded as Elixir's Ecto library words them, hence the others.
 */
export function changeWords(problem: Problem): string {
  const name = problem.at.replace('payload.', '')
  switch (problem.fault) {
    case 'blank':
      return `${name === 'summary' ? 'Summary' : name} can't be blank`
    case 'wrong-length':
      return `${name} should be 32 character(s)`
    case 'too-long':
      return `${name} should be at most ${problem.max} character(s)`
    case 'too-many':
      return `${name} should have at most ${problem.max} item(s)`
    case 'not-alphanumeric':
    case 'not-a-choice':
    case 'invalid':
      return `${name} is invalid`
  }
}

function eitherOf(choices: readonly string[]): string {
  const quoted = choices.map((choice) => `'${choice}'`)
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}
