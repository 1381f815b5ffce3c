export * from './engine/index.ts'
export type * from './recipe.ts'
