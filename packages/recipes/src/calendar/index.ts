export { ended, lookAt, type Looked, type ScheduleMemory, type Settled, switched } from './planner.ts'
export { faultsOfSchedules } from './check-schedules.ts'
export { startsBetween } from './starts.ts'
export { whenInWords } from './words.ts'
