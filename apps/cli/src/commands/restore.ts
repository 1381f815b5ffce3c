import { type Command } from 'commander'
import path from 'node:path'
import { type CommonOptions, type Context, instanceDirOf, siteFileOf } from '../context.ts'
import { withSite } from '../options.ts'
import { withRedis } from '../with-redis.ts'
import { orFailed, passphraseOf, withPassphrase } from './backup.ts'
import { agree } from './init-db.ts'

interface RestoreCommandOptions extends CommonOptions {
  passphraseFile?: string
  to?: string
  replace?: boolean
  yes?: boolean
}

/** `golem restore`: brings a backup back, here or on another machine. */
export function restore(program: Command, context: Context): Command {
  return withPassphrase(withSite(program.command('restore <file>')))
    .description(
      'brings a backup back: files, archive and Redis; a damaged file is refused before anything is changed',
    )
    .option(
      '--to <folder>',
      'the instance folder to be (default: GOLEM_INSTANCE, the folder of the site file)',
    )
    .option('--replace', 'move what is there aside, and remove what Redis has of this site')
    .option('-y, --yes', 'do not ask before replacing')
    .addHelpText(
      'after',
      '\nStop golem first. Commands that waited are not carried out: their time is over. Runs go on as after a power\n' +
        'failure, each as its recipe says. Journals of workers on other machines stay where they are.\n\n' +
        'Examples:\n  golem restore /mnt/nas/golem/stand.golem-backup\n  golem restore stand.golem-backup --to /var/lib/golem --site /etc/golem/site.yaml\n' +
        '  golem restore stand.golem-backup.age --passphrase-file ~/golem-passphrase --replace',
    )
    .action(async (file: string, options: RestoreCommandOptions) => {
      const to = options.to === undefined ? undefined : path.resolve(context.cwd, options.to)
      const siteFile =
        to !== undefined && options.site === undefined
          ? path.join(to, 'site.yaml')
          : siteFileOf(context, options)
      const instanceDir = to ?? instanceDirOf(context, siteFile)
      if (options.replace) {
        await agree(context, options, `Replace the site in ${instanceDir}, and what Redis has of it?`)
      }
      const passphrase = await passphraseOf(context, options)
      const { restoreBackup } = await import('@golem/backup')
      const restored = await orFailed(() =>
        restoreBackup({
          file: path.resolve(context.cwd, file),
          passphrase,
          siteFile,
          instanceDir,
          replace: options.replace ?? false,
          env: context.env,
          withRedis: (site, work) => withRedis(context, site, instanceDir, work),
          onStep: (step) => context.err(`${step} ...`),
        }),
      )
      if (options.json) {
        return context.out(
          JSON.stringify({ siteFile, instanceDir, movedTo: restored.movedTo, ...restored.manifest }),
        )
      }
      context.out(`Site "${restored.site.name}" of ${restored.manifest.createdAt} is back in ${instanceDir}.`)
      if (restored.movedTo !== null) context.out(`What was there is now in ${restored.movedTo}.`)
      for (const sentence of restored.manifest.leftOut) context.out(sentence)
      context.out('Start golem, and look at the page: stops, runs and reservations are as they were.')
    })
}
