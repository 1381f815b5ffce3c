export { type LoadedModels, loadModels, SHIPPED_MODELS } from './load-models.ts'
export { builtIn } from './registry.ts'
