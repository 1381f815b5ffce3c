export { type RunningWorker, type WorkerOptions, startWorker } from './start.ts'
