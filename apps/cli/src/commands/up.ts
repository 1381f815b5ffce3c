import type { Command } from 'commander'
import type { CommonOptions, Context } from '../context.ts'
import { count, port, withSite } from '../options.ts'

interface UpOptions extends CommonOptions {
  demo?: boolean
  workers: number
  port?: number
  verbose?: boolean
}

/** `golem up`: everything in one terminal. */
export function up(program: Command, context: Context): Command {
  return withSite(program.command('up'))
    .description('runs everything in this terminal: Redis, workers, web, simulated devices; Ctrl-C ends it')
    .option('--demo', 'the demo stand, with simulated instruments')
    .option('--workers <n>', 'how many worker processes', count, 1)
    .option(
      '--port <port>',
      'port of the page (default: web.port of the site file, else 8000 or the next free one)',
      port,
    )
    .option('--verbose', 'show all lines of the logs, not only warnings')
    .addHelpText(
      'after',
      '\nRedis: REDIS_URL or "redis" of the site file; else a private one with its data in instance/redis.\nLogs: instance/run/*.log\n\nExamples:\n  golem up\n  golem up --demo --port 8080\n  REDIS_URL=redis://lab-server:6379 golem up --workers 2',
    )
    .action(async (options: UpOptions) => {
      const { runUp } = await import('../up/run-up.ts')
      await runUp(context, options)
    })
}
