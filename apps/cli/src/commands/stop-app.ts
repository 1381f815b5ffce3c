import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { changeUnits, runningUnits } from '../systemd.ts'

/** `golem stop-app`: stops all web services. */
export function stopApp(program: Command, context: Context): Command {
  return program
    .command('stop-app')
    .description('stops all golem-web services on this machine (systemd); workers go on')
    .addHelpText('after', '\nExamples:\n  golem stop-app\n  golem stop-app --json')
    .action(async (options: { json?: boolean }) => {
      // With the socket left open the next visitor would start the service again.
      const units = [
        ...(await runningUnits('golem-web.socket')),
        ...(await runningUnits('golem-web@*.service')),
      ]
      if (units.length > 0) await changeUnits('stop', units)
      if (options.json) context.out(JSON.stringify({ stopped: units }))
      else context.out(units.length === 0 ? 'No web service was running.' : `Stopped: ${units.join(', ')}.`)
    })
}
