export { type ArchiverOptions, type RunningArchiver, startArchiver } from './start.ts'
