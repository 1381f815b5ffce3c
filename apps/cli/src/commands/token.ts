import { type Command, Option } from 'commander'
import type { Role } from '@golem/config'
import type { Context } from '../context.ts'
import { CliError } from '../exit-codes.ts'

/** `golem token`: makes a bearer token. */
export function token(program: Command, context: Context): Command {
  return program
    .command('token')
    .description('makes a new token: prints it once, with the lines for site.yaml that let it in')
    .argument('<name>', 'who it is for; appears in the ledger as "by"')
    .addOption(
      new Option('--role <role>', 'viewer reads, operator commands, admin also releases stops')
        .choices(['viewer', 'operator', 'admin'])
        .makeOptionMandatory(),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  golem token night-script --role operator\n  golem token ann --role admin --json',
    )
    .action(async (name: string, options: { role: Role; json?: boolean }) => {
      if (!/^[\w][\w .@-]{0,63}$/u.test(name)) {
        throw new CliError('usage', `"${name}" is no name: letters, digits, space and . _ @ - (at most 64).`)
      }
      const { hashToken, newToken } = await import('@golem/config')
      const secret = newToken()
      const hash = hashToken(secret)
      if (options.json) {
        context.out(JSON.stringify({ name, role: options.role, token: secret, hash }))
        return
      }
      context.out(
        [
          'The token; it is shown this once and kept nowhere:',
          '',
          `  ${secret}`,
          '',
          'Add to the site file and restart the web process:',
          '',
          'auth:',
          '  tokens:',
          `    - name: ${JSON.stringify(name)}`,
          `      role: ${options.role}`,
          `      hash: ${hash}`,
          '',
          'Then: GOLEM_TOKEN=<the token> golem status',
        ].join('\n'),
      )
    })
}
