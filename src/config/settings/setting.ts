/** What a setting is about, with the title under which the help lists it. A command takes whole groups. */
export const SETTING_GROUPS = {
  run: 'How the command is watched',
  relay: 'Where the relay listens',
  event: 'What the event says',
  delivery: 'How it is sent',
  rest: 'PagerDuty’s REST API',
  note: 'What else is told',
  gate: 'When the gate opens',
  printing: 'What is printed',
} as const

export type SettingGroup = keyof typeof SETTING_GROUPS

/** One thing that a user can set, by an option, a variable or both. Help and documentation are printed from it. */
export interface Setting {
  readonly group: SettingGroup
  /** Long option without dashes. */
  readonly option?: string
  readonly variable?: string
  /** How the value is named in the help; absent for an option that is given or not. */
  readonly value?: string
  /** The option may be given several times. */
  readonly repeatable?: true
  /** The variable holds a secret, so it may come from a file named by `<variable>_FILE`. */
  readonly secret?: true
  readonly help: string
}
