export { modelOf, models } from './registry.ts'
