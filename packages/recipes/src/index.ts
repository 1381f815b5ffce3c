export * from './calendar/index.ts'
export * from './engine/index.ts'
export * from './language/index.ts'
export type * from './recipe.ts'
