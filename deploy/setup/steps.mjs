// @ts-check
/** What the parts of setup.mjs have in common: running programs, telling of it, and knowing what has changed. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))
const LAST_LINES = 40

/** Something went wrong that the user can do something about. */
export class SetupError extends Error {}

/**
 * Runs a program and keeps its last lines.
 *
 * @param {string} file
 * @param {string[]} args
 * @param {string} [cwd]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(file, args, cwd = ROOT) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-100_000)
      })
    }
    child.once('error', (error) => resolve({ code: 1, output: error.message }))
    child.once('close', (code) => {
      resolve({ code: code ?? 1, output: output.trimEnd().split('\n').slice(-LAST_LINES).join('\n') })
    })
  })
}

/**
 * Does one long step and shows that it is going on: live on a terminal, by one line elsewhere.
 *
 * @param {string} what
 * @param {() => Promise<void>} work
 */
export async function step(what, work) {
  const begun = performance.now()
  const elapsed = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`
  const isTerminal = process.stdout.isTTY === true
  const draw = () => process.stdout.write(`\rgolem: ${what} … ${elapsed()} `)
  if (isTerminal) draw()
  const timer = setInterval(
    () => (isTerminal ? draw() : say(`${what} … ${elapsed()}`)),
    isTerminal ? 200 : 10_000,
  )
  let word = 'failed after'
  try {
    await work()
    word = 'done in'
  } finally {
    clearInterval(timer)
    if (isTerminal) process.stdout.write('\r\u001b[K')
    say(`${what}: ${word} ${elapsed()}`)
  }
}

/** @param {string} sentence */
export function say(sentence) {
  process.stdout.write(`golem: ${sentence}\n`)
}

/**
 * One value for a set of files: changes when one of them changes in size or time, comes or goes.
 *
 * @param {string[]} places - files, or folders without what is built there
 */
export function fingerprint(places) {
  const hash = createHash('sha256')
  /** @param {string} place */
  const take = (place) => {
    const stat = fs.statSync(place, { throwIfNoEntry: false })
    if (!stat) return
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(place).sort()) {
        if (!['dist', 'node_modules', 'results'].includes(name)) take(path.join(place, name))
      }
    } else hash.update(`${path.relative(ROOT, place)} ${stat.size} ${stat.mtimeMs}\n`)
  }
  for (const place of places) take(place)
  return hash.digest('hex')
}

/** @param {string} file @returns {string[]} its lines without comments */
export function readLines(file) {
  if (!fs.existsSync(file)) return []
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
}

/** @param {string} file @returns {any} its content, or null when it is not there or cut short */
export function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch {
    // A stamp that cannot be read only means that the work is done once more.
    return null
  }
}

/** @param {import('node:crypto').BinaryLike} content */
export function sha256(content) {
  return createHash('sha256').update(content).digest('hex')
}
