import type { Command } from 'commander'
import { type CommonOptions, type Context, openApi } from '../context.ts'
import { printable } from '../format.ts'
import { withApi } from '../options.ts'

interface NoteOptions extends CommonOptions {
  from?: string
  to?: string
  instrument?: string
  run?: string
}

/** `golem note`: writes down what a person has to say about a moment or a span of time. */
export function note(program: Command, context: Context): Command {
  return withApi(program.command('note'))
    .description('notes something about now, or about a time; it stands there in the timeline')
    .argument('<text>', 'what is to be noted')
    .option('--from <when>', 'when it was, or began: 2026-05-01T08:30:00Z, or a while ago: -10min')
    .option('--to <when>', 'when that ended')
    .option('--instrument <id>', 'what it is about')
    .option('--run <id>', 'the run that it belongs to')
    .addHelpText(
      'after',
      '\nExamples:\n  golem note "watered the plants"\n  golem note "the door stood open" --from=-20min --to=-5min --instrument chamber',
    )
    .action(async (text: string, { from, to, instrument, run, ...options }: NoteOptions) => {
      const api = openApi(context, options)
      const made = await api.note({ text, from, to, instrument, run })
      if (options.json) context.out(JSON.stringify(made))
      else context.out(printable(`noted: ${made.message}`))
    })
}
