import type { EventInput } from '../core/build-event.ts'
import { countedFailure } from '../core/counted-failure.ts'
import { deploymentOf } from '../core/deployment.ts'
import { Failure } from '../core/failure.ts'
import type { RelayDeps } from './context.ts'

/**
 * Records a failure before its event is made, and adds to the input how many in a row there are now. If that is not known,
 * the input stays as it is, and somebody is paged.
 * @param pagesAt from which failure on somebody is paged
 */
export async function countFailure(
  input: EventInput,
  pagesAt: number,
  { deployments, logger, now }: Pick<RelayDeps, 'deployments' | 'logger' | 'now'>,
): Promise<EventInput> {
  const event = countedFailure(input)
  const deployment = event && deploymentOf(event, now())
  if (deployment === undefined) {
    logger.warn('failures are not counted: no repository is known')
    return input
  }
  try {
    return { ...input, streak: { failures: await deployments.note(deployment), pagesAt } }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    logger.warn(`failures are not counted: ${error.message}`)
    return input
  }
}
