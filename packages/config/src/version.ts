import { readFileSync } from 'node:fs'

/** The version of golem: that of this package, as of all the others. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version
