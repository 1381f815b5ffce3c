import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Stand } from './stand.ts'

/** Switches a relay of the default stand on for a moment. */
export const PULSE = `
label: Pulse
stages:
  - name: pulse
    steps:
      - set: { relays.relay0: true }
      - wait: 100 ms
finally:
  - set: { relays.relay0: false }
`

/** Goes on for longer than any test. */
export const LONG = `
label: Long
stages:
  - name: long
    steps:
      - wait: 1 h
`

/** Gives a stand recipes of its own. @param recipes - YAML by id */
export function writeRecipes({ dir }: Pick<Stand, 'dir'>, recipes: Readonly<Record<string, string>>): void {
  const folder = join(dir, 'recipes')
  mkdirSync(folder, { recursive: true })
  for (const [id, text] of Object.entries(recipes)) writeFileSync(join(folder, `${id}.yaml`), text)
}
