import type { Command } from 'commander'
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import type { CommonOptions, Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { withSite } from '../options.ts'
import { loadChosenSite } from '../site-file.ts'
import { withRedis } from '../with-redis.ts'

interface BackupCommandOptions extends CommonOptions {
  passphraseFile?: string
  check?: boolean
}

/** `golem backup`: everything of a site in one file, or the check of such a file. */
export function backup(program: Command, context: Context): Command {
  return withPassphrase(withSite(program.command('backup [file]')))
    .description('writes everything of the site into one checked file while it runs; or checks such a file')
    .option('--check', 'only read the file and compare every byte with what it should be')
    .addHelpText(
      'after',
      '\nIn it: the archive, the ledger, runs, schedules, alarms, reservations and the log from Redis, site.yaml and the\n' +
        'instance folder. With a passphrase it is encrypted (as `age` does) and holds the folder secrets, too. A folder as\n' +
        'FILE: a name with the time is chosen in it (default: backups in the instance folder).\n\n' +
        'Examples:\n  golem backup\n  golem backup /mnt/nas/golem --passphrase-file ~/golem-passphrase\n' +
        '  golem backup --check /mnt/nas/golem/stand-2026-05-01T03-00-00Z.golem-backup',
    )
    .action(async (file: string | undefined, options: BackupCommandOptions) => {
      const passphrase = await passphraseOf(context, options)
      if (options.check) return check(context, file, options, passphrase)
      await write(context, file, options, passphrase)
    })
}

async function check(
  context: Context,
  file: string | undefined,
  options: CommonOptions,
  passphrase: string | null,
): Promise<void> {
  if (file === undefined)
    throw new CliError('usage', 'Which file is to be checked? golem backup --check FILE')
  const { checkBackup } = await import('@golem/backup')
  const manifest = await orFailed(() => checkBackup(path.resolve(context.cwd, file), passphrase))
  context.out(
    options.json
      ? JSON.stringify(manifest)
      : `${file} is whole: site "${manifest.site}" on ${manifest.host}, ${manifest.createdAt}, ${Object.keys(manifest.files).length} files, ${manifest.redisKeys ?? 0} keys of Redis${manifest.archive ? '' : ', no archive'}.`,
  )
}

async function write(
  context: Context,
  chosen: string | undefined,
  options: CommonOptions,
  passphrase: string | null,
): Promise<void> {
  const site = await loadChosenSite(context, options)
  const { writeBackup, backupName } = await import('@golem/backup')
  const { VERSION } = await import('@golem/config')
  const place = path.resolve(context.cwd, chosen ?? path.join(site.instanceDir, 'backups'))
  const isFolder = chosen === undefined || (existsSync(place) && statSync(place).isDirectory())
  const file = isFolder ? path.join(place, backupName(site.name, new Date(), passphrase !== null)) : place
  const { bytes, manifest } = await withRedis(context, site, site.instanceDir, (redisUrl) =>
    orFailed(() =>
      writeBackup({
        site,
        redisUrl,
        file,
        passphrase,
        version: VERSION,
        onStep: (step) => context.err(`${step} ...`),
      }),
    ),
  )
  if (options.json) return context.out(JSON.stringify({ file, bytes, ...manifest }))
  context.out(`${file}: ${(bytes / 1e6).toFixed(1)} MB, written, read again and found whole.`)
  for (const sentence of manifest.leftOut) context.out(sentence)
}

/** Adds the option of the passphrase. */
export function withPassphrase(command: Command): Command {
  return command.option(
    '--passphrase-file <file>',
    'file with the passphrase and nothing else (default: the one in GOLEM_BACKUP_PASSPHRASE)',
  )
}

/**
 * The passphrase that was chosen, read as the archiver reads it for the backups of every day; null: none.
 *
 * @throws CliError usage when its file can't be read or is empty
 */
export async function passphraseOf(
  context: Context,
  options: { passphraseFile?: string },
): Promise<string | null> {
  if (options.passphraseFile === undefined) return context.env['GOLEM_BACKUP_PASSPHRASE'] ?? null
  const { readSecretFile } = await import('@golem/config')
  const read = readSecretFile(options.passphraseFile, context.cwd)
  if ('fault' in read) throw new CliError('usage', read.fault)
  return read.secret
}

/** What is wrong with a backup as what the command ends with. */
export async function orFailed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Error && error.name === 'BackupError') {
      throw new CliError('failed', error.message, { cause: error })
    }
    throw error
  }
}
