export { type RunningScheduler, type SchedulerOptions, startScheduler } from './start.ts'
