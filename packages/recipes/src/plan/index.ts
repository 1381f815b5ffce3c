export { conflictsOf, type OtherRuns } from './conflicts.ts'
export { type CrashEntry, type Plan, type PlanEntry, type PlanOptions, planRun } from './dry-run.ts'
export type { PlantModel } from './plant.ts'
