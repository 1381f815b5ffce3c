export { type LoadedModels, loadModels, SHIPPED_MODELS } from './load-models.ts'
export { builtIn } from './registry.ts'
export { type Answerer, createAnswerer } from './yaml/simulation.ts'
export { modelFileOf, modelSchema, type ReadModel, readModelFile } from './yaml/index.ts'
