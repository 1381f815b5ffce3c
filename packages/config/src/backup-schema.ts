import { table, text } from './schema-parts.ts'

const many = (what: string, usual: number): object => ({
  type: 'integer',
  minimum: 0,
  maximum: 1_000,
  description: `how many ${what} are kept; default ${usual}`,
})

/** How many backups are kept where a site says nothing else. */
export const KEEP = { last: 3, daily: 7, weekly: 4, monthly: 6 }

/** `backup` of a site. */
export const backupSchema = table(
  'A backup every day, made by the machine that keeps the archive',
  {
    at: {
      type: 'string',
      pattern: '^([01]\\d|2[0-3]):[0-5]\\d$',
      description: 'time of day of that machine, e.g. "03:00"; what was missed is made up for',
    },
    to: text('folder, relative to the instance folder; default backups'),
    keep: table('Which backups stay when a new one has been made', {
      last: many('of the newest', KEEP.last),
      daily: many('days, the newest of each', KEEP.daily),
      weekly: many('weeks, the newest of each', KEEP.weekly),
      monthly: many('months, the newest of each', KEEP.monthly),
    }),
    passphraseFile: text(
      'file with the passphrase that encrypts it, relative to the instance folder; without it secrets are left out',
    ),
    afterwards: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      description:
        'program and arguments that carry the backup on, e.g. [rsync, "{file}", "nas:golem/"]; {file} is its path',
    },
  },
  ['at'],
)

export interface RawBackup {
  at?: string
  to?: string
  keep?: { last?: number; daily?: number; weekly?: number; monthly?: number }
  passphraseFile?: string
  afterwards?: string[]
}
