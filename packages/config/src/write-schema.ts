/** Writes the schema for editors: `npm run schema --workspace @golem/config`. */
import { writeFileSync } from 'node:fs'
import { siteSchema } from './site-schema.ts'

const file = new URL('../../../instance/site.schema.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(siteSchema, null, 2)}\n`)
