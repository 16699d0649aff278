import type { ContainerFigures } from './container.ts'
import type { FactSection } from './fact.ts'
import type { Growth } from './growth.ts'
import type { Cost } from './measure.ts'
import type { OneShots } from './one-shot.ts'
import type { CallerCosts } from './relay-caller.ts'
import type { RelayCost } from './relay-load.ts'
import type { RunCost } from './run.ts'
import type { FailedSection } from './section.ts'
import type { Servers } from './servers.ts'

/** Where and when it was measured. */
export interface Machine {
  readonly date: Date
  readonly processor: string
  readonly cores: number
  readonly memoryGb: number
  /** Operating system and its version. */
  readonly kernel: string
  readonly nodeVersion: string
  /** The load average over one minute when the run began. */
  readonly loadAverage: number
}

/** Everything that one run of the benchmark measured; a part that failed is absent. */
export interface Figures {
  readonly machine: Machine
  readonly idle: OneShots | undefined
  readonly http: OneShots | undefined
  readonly https: OneShots | undefined
  readonly far: OneShots | undefined
  readonly isFarByPacket: Servers['isFarByPacket']
  readonly run: readonly RunCost[] | undefined
  /** What follows the end of a watched command. */
  readonly runEnding: readonly Cost[] | undefined
  readonly relayLoad: readonly RelayCost[] | undefined
  readonly callers: CallerCosts | undefined
  readonly curls: readonly Cost[] | undefined
  /** Events of one key that were delivered per second over the long path. */
  readonly deliveryRate: number | undefined
  readonly container: ContainerFigures | undefined
  readonly sections: readonly FactSection[]
  readonly growth: readonly Growth[]
  readonly failed: readonly FailedSection[]
}
