import { Failure } from '../core/failure.ts'

/**
 * What a fleet’s database says, or why it does not say it now.
 * @throws Failure of kind `config` if an operator has to change something
 */
export async function askFleet<T>(question: () => Promise<T>): Promise<T | string> {
  try {
    return await question()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const message = `the fleet’s database cannot be queried: ${error.message}`
    if (error.kind === 'config') throw new Failure('config', message)
    return message
  }
}
