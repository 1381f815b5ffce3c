import { type DerivedConfig, type DerivedParameter, formatDuration } from '@golem/config'
import type { InstrumentDescription, ParameterDescription } from '@golem/core'

/** How often derived readings are computed, in ms. */
export const EVERY_MS = 1_000

/** A derived instrument as pages and programs see it: as any other, but nothing of it can be set. */
export function describeDerived({ id, label, group, parameters }: DerivedConfig): InstrumentDescription {
  return {
    id,
    label,
    group,
    kind: 'derived',
    model: 'derived',
    host: null,
    address: '',
    pollEveryMs: EVERY_MS,
    onStop: 'hold',
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, one]) => [name, describeParameter(one)]),
    ),
    actions: {},
  }
}

function describeParameter(one: DerivedParameter): ParameterDescription {
  const { label, group, unit, decimals, note = inWords(one) } = one
  return {
    label,
    ...(group === undefined ? {} : { group }),
    type: 'number',
    ...(unit === undefined ? {} : { unit }),
    ...(decimals === undefined ? {} : { decimals }),
    note,
    readable: true,
    writable: false,
  }
}

/** How it is computed, for people. */
function inWords({ derivation, from, factor }: DerivedParameter): string {
  const sources = from.map(({ instrument, parameter }) => `${instrument}.${parameter}`)
  const [first = ''] = sources
  const scale = factor === 1 ? '' : `, times ${factor}`
  switch (derivation.kind) {
    case 'mean':
      return `Mean of ${first} over ${formatDuration(derivation.windowMs)}${scale}.`
    case 'rate': {
      const per = formatDuration(derivation.perMs)
      return `Slope of a straight line through ${first} of ${formatDuration(derivation.windowMs)}, per ${per}${scale}.`
    }
    case 'rSquared':
      return `R² of a straight line through ${first} of ${formatDuration(derivation.windowMs)}${scale}.`
    case 'difference':
      return `${sources.join(' − ')}${scale}.`
    case 'sum':
      return `${sources.join(' + ')}${scale}.`
    case 'product':
      return `${sources.join(' · ')}${scale}.`
    case 'ratio':
      return `${sources.join(' / ')}${scale}.`
  }
}
