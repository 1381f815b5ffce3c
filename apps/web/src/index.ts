export { type AppOptions, buildApp } from './app.ts'
export { type RunningWeb, type WebOptions, startWeb } from './start.ts'
