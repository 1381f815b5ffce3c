import type { CommandTarget, Outcome, RunEnd, RunRequest, Value } from '@golem/core'

/**
 * The position of a run, as plain JSON: it is persisted after each step and survives every process. The tree of
 * sequences and nodes mirrors the steps that are under way. Times named `...Active` are run time without the time it
 * was held.
 */
export interface EngineState {
  version: 1
  run: string
  /** waiting: not begun; finally: whatever the end demands; safe: an abort. */
  phase: 'waiting' | 'stages' | 'finally' | 'safe' | 'ended'
  /** How it has ended, or will once `finally` or the safe state is through. */
  end: RunEnd | null
  /** Why it is as it is, as a sentence. */
  message: string
  /** It stands still. */
  hold: Hold | null
  parameters: Record<string, Value>
  /** The number in the id of the last effect. */
  counter: number
  /** How long it has been held in all, in ms. */
  heldMs: number
  /** Run time of the last event. */
  runMs: number
  startedActive: number | null
  /** After an interruption no time limit ends a step before this: it has not been able to look yet. */
  graceActive: number
  interruptions: { count: number; ms: number }
  rows: number
  /** Steps begun that contain no others. */
  begun: number
  /** From 0. */
  stage: number
  /** The stage that is under way. */
  current: Sequence | null
  /** Lists of `finally` that are to be done before it ends; in phase `finally` the first is under way. */
  owed: Owed[]
  /** Commands that the last step has withdrawn: whether that was carried out is not known before the next one. */
  withdrawn: string[]
  /** In phase `safe`: the safe state that was asked for. */
  safe: (Pending & { sinceActive: number }) | null
}

export interface Hold {
  kind: 'paused' | 'asking'
  /** Run time. */
  sinceMs: number
  choices?: RunRequest[]
  /** Its restart policy has paused it, and no person: somebody has to come. */
  byPolicy?: true
}

/** A `finally`, and how far it is. */
export interface Owed {
  /** The call it belongs to; null: the recipe itself. */
  call: number | null
  /** What it sees; null: the parameters of the run. */
  variables: Record<string, Value> | null
  sequence: Sequence | null
}

export interface Sequence {
  steps: readonly number[]
  index: number
  node: StepNode | null
}

/** An effect whose outcome is awaited. */
export interface Pending {
  id: string
  outcome?: Outcome
  /** It was never handed over: it is made anew when the run goes on. */
  unsent?: boolean
}

/** One step that is under way. */
export interface StepNode {
  step: number
  sinceActive: number
  /** Somebody wants its waiting to end. */
  skip?: boolean
  command?: Pending & { instrument: string; target: CommandTarget }
  /** Its instrument is away: since when, and when it is tried again. */
  away?: { sinceActive: number; againActive: number; message: string }
  /** How many writes, rounds, values or samples are behind it. */
  count: number
  /** When the next round, write or sample is due. */
  dueActive?: number
  body?: Sequence
  branches?: Sequence[]
  variables?: Record<string, Value>
  /** What was worked out when it began, and what a controller keeps. */
  numbers: Record<string, number>
  /** What was written last, and what is to be written; absent: not known. */
  written?: Value
  wanted?: Value
  /** By reading: the time of the last one that counts no more, or of the one that was there when the step began. */
  seen: Record<string, string>
  /** By place in a condition. */
  held: Record<string, Held>
  sums?: Record<string, { last: Value; sum: number }>
  /** It is over, but recipes that it called want something done at the end. `message` null: it went well. */
  leaving?: { message: string | null; owed: Owed[] }
}

/** A comparison that is satisfied: since when, and up to when new readings have shown it. */
export interface Held {
  sinceActive: number
  provenActive: number
  at: string
}

/** All nodes of a tree, those that contain before those that are contained. */
export function* nodesOf(sequence: Sequence | null | undefined): Generator<StepNode> {
  const node = sequence?.node
  if (!node) return
  yield node
  yield* nodesOf(node.body)
  for (const branch of node.branches ?? []) yield* nodesOf(branch)
  for (const { sequence: inside } of node.leaving?.owed ?? []) yield* nodesOf(inside)
}

/** All nodes of a run. */
export function* allNodes(state: EngineState): Generator<StepNode> {
  yield* nodesOf(state.current)
  for (const { sequence } of state.owed) yield* nodesOf(sequence)
}

/** What an effect whose outcome is awaited commands; undefined: it is none, or is not awaited any more. */
export function pendingCommand(
  state: EngineState,
  id: string,
): { instrument: string; target: CommandTarget } | undefined {
  const command = [...allNodes(state)].find((node) => node.command?.id === id)?.command
  return command && !command.outcome ? command : undefined
}

export function sequenceOf(steps: readonly number[]): Sequence {
  return { steps, index: 0, node: null }
}
