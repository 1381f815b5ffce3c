export * from './judge.ts'
export * from './machine.ts'
export * from './message.ts'
export * from './plan.ts'
