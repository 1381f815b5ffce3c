import type { LineIo, ParameterSpec, Value } from '@golem/core'

export type SettingName = 'pump' | 'pumpPower' | 'zeroLength' | 'zeroEvery' | 'averagingLimit'

interface Setting {
  spec: Omit<ParameterSpec<LineIo>, 'write' | 'read'>
  /** The command that sets it. */
  text: (value: Value) => string
}

const KNOWN_WHEN_SET = 'The analyser can not be asked for it: shown is what it acknowledged last.'

/** What can be set, in the order in which it is set when the analyser is initialised. */
export const SETTINGS: ReadonlyMap<SettingName, Setting> = new Map<SettingName, Setting>([
  [
    'pump',
    {
      spec: {
        label: 'Pump',
        type: 'boolean',
        group: 'Sensors',
        note: `The emergency stop leaves it as it is. ${KNOWN_WHEN_SET}`,
      },
      text: (value) => `P${value === true ? 1 : 0}`,
    },
  ],
  [
    'pumpPower',
    {
      spec: {
        label: 'Pump power',
        type: 'integer',
        unit: '%',
        min: 0,
        max: 100,
        step: 1,
        group: 'Sensors',
        note: KNOWN_WHEN_SET,
      },
      text: (value) => `S,9,${Number(value)}`,
    },
  ],
  [
    'zeroLength',
    {
      spec: {
        label: 'Length of a zero',
        type: 'choice',
        choices: ['S', 'M', 'L'],
        group: 'Sensors',
        note: `About 21, 40 or 90 s. ${KNOWN_WHEN_SET}`,
      },
      text: (value) => `E${String(value)}`,
    },
  ],
  [
    'zeroEvery',
    {
      spec: {
        label: 'Time between zeros',
        type: 'integer',
        unit: 'min',
        min: -10_000,
        max: 10_000,
        step: 1,
        group: 'Sensors',
        note: `Anything but 0 starts a zero at once; 0: no zeros by time; negative: no extra zeros after power-up. ${KNOWN_WHEN_SET}`,
      },
      text: (value) => `A${Number(value)}`,
    },
  ],
  [
    'averagingLimit',
    {
      spec: {
        label: 'Averaging limit',
        type: 'number',
        unit: 'ppm',
        min: 0,
        max: 1000,
        step: 1,
        decimals: 0,
        group: 'Sensors',
        note: `A larger jump starts the running average anew; 0: no averaging. ${KNOWN_WHEN_SET}`,
      },
      text: (value) => `B${Number(value)}`,
    },
  ],
])

/** The command that brings a setting to a value, e.g. `A30`. */
export function settingText(name: SettingName, value: Value): string {
  const setting = SETTINGS.get(name)
  if (!setting) throw new Error(`no setting ${name}`)
  return setting.text(value)
}
