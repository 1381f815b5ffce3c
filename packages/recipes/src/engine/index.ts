export type { EngineState } from './state.ts'
export type * from './types.ts'
