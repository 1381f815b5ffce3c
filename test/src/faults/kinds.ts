/** What a run is doing when a process is killed. */
export interface StepKind {
  /** The verb of the step. */
  name: string
  /** Steps that take some seconds, on the instrument `it`. */
  steps: string
  /** Each value is written at most once: whatever comes twice was repeated. */
  isUnique: boolean
  /** How many rows it measures. */
  rows?: number
}

/** What each recipe writes at its end, so that it can be seen at the device that its end was done. */
export const AT_END = 999
/** What is read: a board beside those that are written to, which is polled. */
export const BOARD = 'room'
const ROOM = `${BOARD}.externalTemperature`
/** Recipes that others call. */
export const CALLED = 'called'

const each = (from: number, to: number, wait: string): string =>
  `forEach: { name: n, in: { from: ${from}, to: ${to}, step: 1 }, steps: [{ set: { it.flow: $n } }, { wait: ${wait} }] }`

/** All kinds of steps there are. */
export const KINDS: readonly StepKind[] = [
  {
    name: 'set',
    isUnique: true,
    steps: Array.from({ length: 20 }, (_, n) => `- set: { it.flow: ${101 + n} }`).join('\n'),
  },
  {
    name: 'do',
    isUnique: false,
    steps: '- repeat: { times: 7, every: 600 ms, steps: [{ do: { action: it.zero } }] }',
  },
  { name: 'wait', isUnique: true, steps: '- set: { it.flow: 101 }\n- wait: 4 s\n- set: { it.flow: 102 }' },
  {
    name: 'until',
    isUnique: true,
    steps: `- set: { it.flow: 101 }\n- until: { reading: ${ROOM}, above: -50, for: 3 s, timeout: 1 min }\n- set: { it.flow: 102 }`,
  },
  {
    name: 'repeat',
    isUnique: false,
    steps:
      '- repeat: { times: 8, every: 500 ms, steps: [{ set: { it.flow: 101 } }, { set: { it.flow: 102 } }] }',
  },
  { name: 'forEach', isUnique: true, steps: `- ${each(101, 115, '200 ms')}` },
  {
    name: 'ramp',
    isUnique: true,
    steps: '- ramp: { parameter: it.flow, from: 100, to: 200, over: 5 s, every: 400 ms }',
  },
  {
    name: 'measure',
    isUnique: true,
    rows: 1,
    steps: `- set: { it.flow: 101 }\n- measure: { readings: [${ROOM}], samples: 12 }\n- set: { it.flow: 102 }`,
  },
  {
    name: 'parallel',
    isUnique: true,
    steps: `- parallel:\n    - steps: [{ ${each(101, 108, '400 ms')} }]\n    - steps: [{ ${each(201, 209, '300 ms').replaceAll(/\bn\b/g, 'm')} }]`,
  },
  {
    name: 'if',
    isUnique: true,
    steps: `- set: { it.flow: 101 }\n- if: { condition: { reading: ${ROOM}, above: -50 }, then: [{ wait: 4 s }, { set: { it.flow: 102 } }] }`,
  },
  {
    name: 'control',
    isUnique: false,
    steps: `- control: { kind: pid, reading: ${ROOM}, output: it.flow, setpoint: 100, kp: 0, ki: 0.2, min: 0, max: 900, every: 400 ms, for: 5 s }`,
  },
  {
    name: 'note',
    isUnique: true,
    steps: '- set: { it.flow: 101 }\n- repeat: { times: 14, every: 300 ms, steps: [{ note: here }] }',
  },
  { name: 'call', isUnique: true, steps: `- call: { recipe: ${CALLED}, instruments: { it: it } }` },
]

/** The instrument that a kind has for itself. */
export function instrumentOf({ name }: StepKind): string {
  return `it-${name.toLowerCase()}`
}

/** The recipes, by id. */
export function recipesOf(kinds: readonly StepKind[]): Record<string, string> {
  const entries = kinds.map((kind) => {
    const atEnd = kind.name === 'do' ? '' : `finally:\n  - set: { it.flow: ${AT_END} }\n`
    return [recipeIdOf(kind), recipe(kind.name, instrumentOf(kind), kind.steps, atEnd)] as const
  })
  const called = recipe(
    CALLED,
    'it-call',
    '- set: { it.flow: 101 }\n- wait: 4 s',
    'finally:\n  - set: { it.flow: 102 }\n',
  )
  return { ...Object.fromEntries(entries), [CALLED]: called }
}

export function recipeIdOf({ name }: StepKind): string {
  return `at-${name.toLowerCase()}`
}

function recipe(label: string, instrument: string, steps: string, atEnd: string): string {
  return `label: ${label}
instruments: { it: { default: ${instrument} } }
stages:
  - name: all
    steps:
${steps.replaceAll(/^/gm, '      ')}
${atEnd}`
}
