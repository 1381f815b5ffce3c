import { describeFault } from '@golem/config'
import { GolemError, type InstrumentDescription, type RecipeDescription } from '@golem/core'
import {
  describeRecipe,
  type FoundRecipes,
  link,
  loadRecipes,
  type Program,
  SHIPPED_RECIPES,
} from '@golem/recipes'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The recipes of the site, as their files are now. */
export class RecipeShelf {
  readonly #folders: readonly string[]
  #found: FoundRecipes
  #stamp: string

  /** @param instanceDir - whose folder `recipes` has the site's own; they replace shipped ones of the same name */
  constructor(instanceDir: string) {
    this.#folders = [SHIPPED_RECIPES, join(instanceDir, 'recipes')]
    this.#stamp = this.#look()
    this.#found = loadRecipes(this.#folders)
  }

  /** Reads the files anew where they have changed. @returns whether they have */
  refresh(): boolean {
    const stamp = this.#look()
    if (stamp === this.#stamp) return false
    this.#stamp = stamp
    this.#found = loadRecipes(this.#folders)
    return true
  }

  /** @param instruments - what is known of the site's instruments: recipes that do not fit them have faults */
  describe(instruments: ReadonlyMap<string, InstrumentDescription>): RecipeDescription[] {
    const { read, recipes } = this.#found
    return read.map((each) => describeRecipe(each, recipes, instruments))
  }

  /**
   * What a run of a recipe carries out.
   *
   * @param bindings - instruments by role
   * @throws NOT_FOUND; CONFIG_INVALID with the faults
   */
  program(
    id: string,
    bindings: Readonly<Record<string, string>>,
    instruments: ReadonlyMap<string, InstrumentDescription>,
  ): Program {
    const { read, recipes } = this.#found
    const known = read.find((each) => each.id === id)
    if (!known) throw new GolemError('NOT_FOUND', `There is no recipe "${id}" any more.`)
    if (!known.recipe) throw faulty(id, known.faults.map(describeFault))
    const { program, faults } = link(known.recipe, { recipes, bindings, descriptions: instruments })
    if (!program) throw faulty(id, faults.map(describeFault))
    return program
  }

  /** Names, sizes and times of the files: when they are the same, so are the files. */
  #look(): string {
    return this.#folders
      .flatMap((folder) => {
        try {
          return readdirSync(folder)
            .filter((name) => name.endsWith('.yaml'))
            .map((name) => {
              const { mtimeMs, size } = statSync(join(folder, name))
              return `${folder}/${name} ${mtimeMs} ${size}`
            })
        } catch (error) {
          // A folder that is not there has no recipes; one that can't be read is told by loadRecipes.
          return [`${folder} ${String(error)}`]
        }
      })
      .join('\n')
  }
}

function faulty(id: string, faults: readonly string[]): GolemError {
  return new GolemError('CONFIG_INVALID', `The recipe ${id} has faults: ${faults.slice(0, 5).join(' ')}`)
}
