import { DELIVERY_SETTINGS } from './delivery.ts'
import { DOCTOR_SETTINGS } from './doctor.ts'
import { EVENT_SETTINGS } from './event.ts'
import { FLEET_SETTINGS } from './fleet.ts'
import { FLUSH_SETTINGS } from './flush.ts'
import { GATE_SETTINGS } from './gate.ts'
import { LIST_SETTINGS } from './list.ts'
import { PAGING_SETTINGS } from './paging.ts'
import { PRINTING_SETTINGS } from './printing.ts'
import { RELAY_SETTINGS } from './relay.ts'
import { CONFIRM_SETTINGS, NOTE_SETTINGS, REST_SETTINGS } from './rest.ts'
import { RUN_SETTINGS } from './run.ts'
import type { Setting } from './setting.ts'
import { SPOOL_SETTINGS } from './spool.ts'
import { STARTED_SETTINGS } from './started.ts'
import { WATCH_AFTER_SETTINGS, WATCH_SETTINGS } from './watch.ts'

/** Every setting, in the order in which the help lists them. */
const SETTINGS = {
  ...RUN_SETTINGS,
  ...STARTED_SETTINGS,
  ...WATCH_AFTER_SETTINGS,
  ...WATCH_SETTINGS,
  ...GATE_SETTINGS,
  ...LIST_SETTINGS,
  ...FLUSH_SETTINGS,
  ...RELAY_SETTINGS,
  ...EVENT_SETTINGS,
  ...PAGING_SETTINGS,
  ...NOTE_SETTINGS,
  ...CONFIRM_SETTINGS,
  ...DOCTOR_SETTINGS,
  ...DELIVERY_SETTINGS,
  ...SPOOL_SETTINGS,
  ...FLEET_SETTINGS,
  ...REST_SETTINGS,
  ...PRINTING_SETTINGS,
} as const satisfies Record<string, Setting>

export type SettingName = keyof typeof SETTINGS

/** `SETTINGS` as a list, each under its declared type. */
export const SETTING_LIST: readonly (Setting & { readonly name: SettingName })[] = Object.entries(
  SETTINGS,
).map(([name, setting]) => ({ name: name as SettingName, ...setting }))
