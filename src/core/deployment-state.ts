/** How far a deployment has come. `started` is one that has not ended yet. */
export const DEPLOYMENT_STATES = ['started', 'success', 'failure', 'cancelled'] as const
export type DeploymentState = (typeof DEPLOYMENT_STATES)[number]

/** How a deployment ended. */
export type DeploymentOutcome = Exclude<DeploymentState, 'started'>
