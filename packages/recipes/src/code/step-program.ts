import { GolemError } from '@golem/core'
import type { Descriptions } from '../language/check.ts'
import { link } from '../language/link.ts'
import { readRecipeText } from '../language/read.ts'
import type { Program, Recipe } from '../recipe.ts'

/**
 * What one call of a recipe in code carries out: a program of one step.
 *
 * @param step - as a recipe in YAML has it, e.g. `{ wait: '5 s' }`
 * @param options - `bindings`: instruments by role; `allowed`: those it may command
 * @throws CONFIG_INVALID with what is wrong, as sentences
 */
export function stepProgram(
  step: unknown,
  options: {
    recipes: ReadonlyMap<string, Recipe>
    bindings: Readonly<Record<string, string>>
    descriptions: Descriptions
    allowed: readonly string[]
  },
): Program {
  const instruments = Object.fromEntries(
    Object.entries(options.bindings).map(([role, id]) => [role, { default: id }]),
  )
  const data = {
    label: 'A call',
    ...(Object.keys(instruments).length === 0 ? {} : { instruments }),
    stages: [{ name: 'call', steps: [step] }],
  }
  const read = readRecipeText('call.yaml', JSON.stringify(data))
  if (!read.recipe) throw wrong(read.faults)
  const { program, faults } = link(read.recipe, { ...options, bindings: {} })
  if (!program) throw wrong(faults)
  if (program.steps.some(({ verb }) => verb === 'call')) {
    throw new GolemError('CONFIG_INVALID', 'A program calls no recipe: take over the steps that it needs.')
  }
  const foreign = program.commands.filter((id) => !options.allowed.includes(id))
  if (foreign.length > 0) {
    throw new GolemError(
      'CONFIG_INVALID',
      `It commands ${foreign.join(', ')} without having declared it: add it to "commands", so that it is reserved for the run.`,
    )
  }
  return program
}

function wrong(faults: readonly { message: string }[]): GolemError {
  return new GolemError('CONFIG_INVALID', faults.map(({ message }) => message).join(' '))
}
