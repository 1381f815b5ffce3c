import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Clock ticks per second in /proc/PID/stat. */
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/**
 * Memory of a process in MB: its own pages, and its share of those it shares with others (PSS). Only so may the figures of
 * several processes be added up.
 */
export function pssMb(pid: number): number {
  const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  return Number(found?.[1] ?? NaN) / 1000
}

/** Processor time a process has used so far, in s. */
export function cpuSeconds(pid: number): number {
  // The name in brackets may contain spaces; what follows it is counted from its end.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Share of one core a process uses over some time, in percent. */
export async function cpuPercent(pid: number, overMs: number): Promise<number> {
  const before = cpuSeconds(pid)
  const begun = performance.now()
  await sleep(overMs)
  return ((cpuSeconds(pid) - before) / ((performance.now() - begun) / 1000)) * 100
}

/** A process and all it has started, as far as they live. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const parent = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[1]
      parents.set(Number(name), Number(parent))
    } catch {
      // It ended while we looked: it is not part of the tree any more.
    }
  }
  const tree = [root]
  for (const pid of tree) {
    for (const [child, parent] of parents) if (parent === pid) tree.push(child)
  }
  return tree
}
