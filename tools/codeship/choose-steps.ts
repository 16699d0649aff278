import type { RunStep, Step } from './steps.ts'
import { whyLeftOut } from './tag.ts'

/** Decides which steps a build runs. */
export interface BuildChoice {
  /** The branch or git tag to build. */
  readonly tag: string
  /** Whether somebody has approved the build, so that its manual steps run. */
  readonly approved: boolean
}

/** Why a build skips a step, in words; undefined if it runs. */
export function whySkipped(step: Step, { tag, approved }: BuildChoice): string | undefined {
  const reason = whyLeftOut(step, tag)
  if (reason !== undefined) return reason
  if (step.type === 'push') return 'only Codeship pushes images'
  return step.type === 'manual' && !approved ? 'it waits for approval' : undefined
}

/** The steps that a build runs, without groups. @throws Failure for the first that cannot be read */
export function runningSteps(step: Step, choice: BuildChoice): RunStep[] {
  if (whySkipped(step, choice) !== undefined) return []
  switch (step.type) {
    case 'run':
      return [step]
    case 'unreadable':
      throw step.failure
    case 'push':
      return []
    case 'serial':
    case 'parallel':
    case 'manual':
      return step.steps.flatMap((child) => runningSteps(child, choice))
  }
}
