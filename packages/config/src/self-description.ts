import type { ProcessDescription } from '@golem/core'
import { VERSION } from './version.ts'

/** What a process tells of itself with each beat: each call of what this gives measures since the call before. */
export function selfDescription(): () => ProcessDescription {
  const startedAt = new Date().toISOString()
  let before = { cpu: process.cpuUsage(), at: performance.now() }
  return () => {
    const cpu = process.cpuUsage(before.cpu)
    const elapsedMs = Math.max(1, performance.now() - before.at)
    before = { cpu: process.cpuUsage(), at: performance.now() }
    return {
      pid: process.pid,
      version: VERSION,
      node: process.version,
      startedAt,
      rssMb: Math.round(process.memoryUsage.rss() / 1e6),
      cpuPercent: Math.round((cpu.user + cpu.system) / 10 / elapsedMs),
    }
  }
}
