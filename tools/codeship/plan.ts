import { quote } from 'shlex'
import { whySkipped, type BuildChoice } from './choose-steps.ts'
import type { Project } from './project.ts'
import { startOrder } from './start-order.ts'
import type { Step } from './steps.ts'

/**
 * What a build would run, one line per step, in the order of the file: `test: npm test in app, after db`, or why the step is
 * skipped. Nothing is started, so no Docker is needed.
 * @throws Failure with file and line for a step or service that this build needs and that cannot run here
 */
export function planBuild(
  { steps, services }: Pick<Project, 'steps' | 'services'>,
  choice: BuildChoice,
): string[] {
  const planStep = (step: Step): string[] => {
    const reason = whySkipped(step, choice)
    if (reason !== undefined) return [`${step.name}: skipped: ${reason}`]
    switch (step.type) {
      case 'unreadable':
        throw step.failure
      case 'push':
        return []
      case 'run': {
        const before = startOrder(services, step.service).map(({ name }) => name)
        const after = before.length === 0 ? '' : `, after ${before.join(' and ')}`
        return [`${step.name}: ${step.command.map(quote).join(' ')} in ${step.service.name}${after}`]
      }
      case 'serial':
      case 'parallel':
      case 'manual':
        return step.steps.flatMap(planStep)
    }
  }
  return steps.flatMap(planStep)
}
