import { settableOf } from '@golem/calibration'
import {
  type ActionDescription,
  type AnyActionSpec,
  type AnyParameterSpec,
  type ArgumentDescription,
  type Calibration,
  type CalibrationMark,
  type Driver,
  type InstrumentDescription,
  type Model,
  type ParameterDescription,
  RESET_COUNTERS,
} from '@golem/core'
import { withCalibrated } from './check-calibrations.ts'
import { type ActionOverride, DEFAULT_GROUP, type InstrumentConfig, type ParameterOverride } from './site.ts'

/**
 * What an instrument of this site can do: what its driver says, with this site's labels and limits, without
 * what is hidden here. This is all that web, command line and page get to know of it, so it holds no credentials.
 *
 * @param config - checked by `loadSite` against the same model
 * @param calibrations - the version of each that counts, by name
 */
export function describeInstrument(
  config: InstrumentConfig,
  model: Model,
  driver: Driver,
  calibrations: ReadonlyMap<string, Calibration> = new Map(),
): InstrumentDescription {
  const { id, label, group, host, address, pollEveryMs, onStop, onPowerReturn, orphanSafeAfterMs } = config
  return {
    id,
    label,
    group,
    kind: model.kind,
    model: model.id,
    host,
    address,
    pollEveryMs,
    onStop,
    ...(onPowerReturn === undefined ? {} : { onPowerReturn }),
    ...(orphanSafeAfterMs === undefined ? {} : { orphanSafeAfterMs }),
    parameters: describeCalibrated(
      config,
      describeShown<AnyParameterSpec, ParameterOverride, ParameterDescription>(
        withCalibrated(driver.parameters, config.calibrations),
        config.parameters,
        (spec, override) => placed(describeParameter(spec, override), override, group),
      ),
      calibrations,
    ),
    actions: {
      ...describeResetCounters(config),
      ...describeShown<AnyActionSpec, ActionOverride, ActionDescription>(
        driver.actions,
        config.actions,
        (spec, override) => placed(describeAction(spec, override, config.parameters), override, group),
      ),
    },
  }
}

/** Adds to parameters that calibrations make which ones these are, their unit, and what can be set. */
function describeCalibrated(
  { calibrations: uses = {}, parameters: overrides }: InstrumentConfig,
  described: Record<string, ParameterDescription>,
  calibrations: ReadonlyMap<string, Calibration>,
): Record<string, ParameterDescription> {
  const calibrated = Object.entries(uses).flatMap(([name, { from, use, writable }]) => {
    const plain = described[name]
    if (!plain) return []
    const calibration = calibrations.get(use)
    const raw = described[from[0] ?? '']
    const settable = writable && raw && calibration ? settableOf(calibration, raw) : null
    const { min, max } = overrides[name] ?? {}
    const lowest = settable ? narrower(Math.max, settable[0], min) : min
    const highest = settable ? narrower(Math.min, settable[1], max) : max
    const parameter = withoutUndefined<ParameterDescription>({
      ...plain,
      unit: plain.unit ?? calibration?.unit,
      min: finite(lowest),
      max: finite(highest),
      writable,
      calibration: withoutUndefined<CalibrationMark>({
        name: use,
        from,
        version: calibration?.version,
        at: calibration?.at,
        by: calibration?.by,
      }),
    })
    return [[name, parameter] as const]
  })
  return { ...described, ...Object.fromEntries(calibrated) }
}

function finite(limit: number | undefined): number | undefined {
  return limit !== undefined && Number.isFinite(limit) ? limit : undefined
}

/** Golem's own action of an instrument with counters. */
function describeResetCounters({ parameters }: InstrumentConfig): Record<string, ActionDescription> {
  const counted = Object.entries(parameters).filter(([, { rules, hidden }]) => rules?.count && !hidden)
  if (counted.length === 0) return {}
  return {
    [RESET_COUNTERS]: {
      label: 'Reset a counter',
      arguments: {
        output: { label: 'Of', type: 'choice', choices: counted.map(([name]) => name) },
        note: { label: 'What was done', type: 'text', maxLength: 200 },
      },
      confirm: true,
      role: 'admin',
      note: 'After maintenance: what is counted of an output begins at zero again.',
    },
  }
}

/**
 * Where the site gives an instrument a group, everything of it stands there, and what its model calls a group is a
 * heading within it: three instruments on one bench are one tab, not one for each channel.
 */
function placed<T extends { group?: string; section?: string }>(
  described: T,
  override: { group?: string },
  instrumentGroup: string,
): T {
  const { group, ...rest } = described
  if (override.group !== undefined || group === undefined || instrumentGroup === DEFAULT_GROUP)
    return described
  return { ...rest, section: group } as T
}

function describeShown<Spec, Override extends { hidden?: boolean }, Description>(
  specs: Readonly<Record<string, Spec>>,
  overrides: Readonly<Record<string, Override>>,
  describe: (spec: Spec, override: Partial<Override>) => Description,
): Record<string, Description> {
  const shown: [string, Description][] = []
  for (const [name, spec] of Object.entries(specs)) {
    const override: Partial<Override> = Object.hasOwn(overrides, name) ? (overrides[name] ?? {}) : {}
    if (!override.hidden) shown.push([name, describe(spec, override)])
  }
  return Object.fromEntries(shown)
}

/**
 * One parameter with what the site says of it. Of two limits the narrower one holds.
 *
 * @param override - of the site; `safe: null` takes the model's safe value away
 */
export function describeParameter(spec: AnyParameterSpec, override: ParameterOverride): ParameterDescription {
  const writable = spec.write !== undefined
  return withoutUndefined<ParameterDescription>({
    label: override.label ?? spec.label,
    group: override.group ?? spec.group,
    type: spec.type,
    unit: override.unit ?? spec.unit,
    min: narrower(Math.max, spec.min, override.min),
    max: narrower(Math.min, spec.max, override.max),
    step: spec.step,
    choices: spec.choices,
    maxLength: spec.maxLength,
    maxItems: spec.maxItems,
    decimals: override.decimals ?? spec.decimals,
    note: override.note ?? spec.note,
    safe: writable && override.safe !== null ? (override.safe ?? spec.safe) : undefined,
    rules: writable ? override.rules : undefined,
    readable: spec.readable ?? true,
    writable,
  })
}

function describeAction(
  spec: AnyActionSpec,
  override: ActionOverride,
  parameters: InstrumentConfig['parameters'],
): ActionDescription {
  return withoutUndefined<ActionDescription>({
    label: override.label ?? spec.label,
    arguments: describeArguments(spec.arguments ?? {}, override.arguments ?? {}, parameters),
    group: override.group ?? spec.group,
    confirm: spec.confirm,
    note: spec.note,
  })
}

/**
 * The arguments of an action with what the site says of them. A limit of a parameter is one of the thing itself: it also
 * holds for the argument by which an action sets it.
 */
function describeArguments(
  specs: Readonly<Record<string, ArgumentDescription>>,
  overrides: NonNullable<ActionOverride['arguments']>,
  parameters: InstrumentConfig['parameters'],
): Record<string, ArgumentDescription> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const said = [overrides, parameters].flatMap((table) =>
        Object.hasOwn(table, name) ? [table[name] ?? {}] : [],
      )
      const isNumber = spec.type === 'number' || spec.type === 'integer' || spec.type === 'array'
      if (said.length === 0 || !isNumber) return [name, spec]
      const { default: given, ...rest } = spec
      const min = said.reduce<number | undefined>(
        (limit, one) => narrower(Math.max, limit, one.min),
        spec.min,
      )
      const max = said.reduce<number | undefined>(
        (limit, one) => narrower(Math.min, limit, one.max),
        spec.max,
      )
      // What is usual elsewhere may be too much here: then it has to be said.
      const isAllowed = typeof given !== 'number' || (given >= (min ?? given) && given <= (max ?? given))
      const described = { ...rest, min, max, default: isAllowed ? given : undefined }
      return [name, withoutUndefined<ArgumentDescription>(described)]
    }),
  )
}

function narrower(
  choose: (a: number, b: number) => number,
  a: number | undefined,
  b: number | undefined,
): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return choose(a, b)
}

/** Leaves out what is not there: absent and undefined are not the same in JSON, nor to a reader of it. */
function withoutUndefined<T extends object>(entries: { [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as T
}
