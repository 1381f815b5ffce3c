export { readCodeFile } from './code/load-code.ts'
export { type RunningScheduler, type SchedulerOptions, startScheduler } from './start.ts'
