import { describeFault, type Fault } from '@golem/config'
import { GolemError, type InstrumentDescription, type RecipeDescription } from '@golem/core'
import {
  codeProgram,
  describeCode,
  describeRecipe,
  type FoundRecipes,
  link,
  loadRecipes,
  type Program,
  type Recipe,
  SHIPPED_RECIPES,
} from '@golem/recipes'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadCode, type LoadedCode, type RememberedCode } from '../code/load-code.ts'

/** After this long a recipe in code that took too long to tell what it is, is asked again, in ms. */
const ASK_AGAIN_MS = 300_000

/** The recipes of the site, as their files are now. */
export class RecipeShelf {
  readonly #folders: readonly string[]
  readonly #codeFolder: string
  #found: FoundRecipes
  #stamp: string
  /** By id; while files are read it grows. */
  #code = new Map<string, LoadedCode>()
  #remembered: readonly RememberedCode[] = []
  #codeStamp = ''
  /** When those that took too long are asked again. */
  #askAgainAt = Infinity
  #reading: Promise<void> | undefined
  #codeVersion = 0
  /** Folders that faults are told without. */
  readonly #roots: readonly string[]

  /** @param instanceDir - whose folder `recipes` has the site's own; they replace shipped ones of the same name */
  constructor(instanceDir: string) {
    this.#codeFolder = join(instanceDir, 'recipes')
    this.#roots = [instanceDir, dirname(SHIPPED_RECIPES)].map((root) => join(root, '/'))
    this.#folders = [SHIPPED_RECIPES, this.#codeFolder]
    this.#stamp = look(this.#folders, /\.yaml$/)
    this.#found = loadRecipes(this.#folders)
  }

  /** Reads the files anew where they have changed. @returns whether they have */
  refresh(): boolean {
    const stamp = look(this.#folders, /\.yaml$/)
    if (stamp === this.#stamp) return false
    this.#stamp = stamp
    this.#found = loadRecipes(this.#folders)
    return true
  }

  /** What a leader before has been told by recipes in code: of files that are the same nothing has to be asked again. */
  remember(remembered: readonly RememberedCode[]): void {
    this.#remembered = remembered
  }

  /** What the next leader need not ask. */
  get toRemember(): RememberedCode[] {
    return [...this.#code.values()].flatMap(({ stamp, declaration, file }) =>
      stamp === null || file === null ? [] : [{ stamp, declaration }],
    )
  }

  /** As `refresh`, of recipes in code, which tell by themselves what they are: that may take some seconds. */
  refreshCode(): Promise<void> {
    this.#reading ??= this.#readCode().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** Were the recipes in code ever read? */
  get knowsCode(): boolean {
    return this.#codeStamp !== ''
  }

  /** Another one: they have been read anew. */
  get codeVersion(): number {
    return this.#codeVersion
  }

  async #readCode(): Promise<void> {
    const stamp = `read ${look([this.#codeFolder], /\.(?:ts|mjs)$/)}`
    if (stamp === this.#codeStamp && performance.now() < this.#askAgainAt) return
    await loadCode(this.#codeFolder, this.#code, () => this.#remembered)
    this.#codeStamp = stamp
    this.#codeVersion += 1
    const isLate = [...this.#code.values()].some((each) => each.stamp === null)
    this.#askAgainAt = isLate ? performance.now() + ASK_AGAIN_MS : Infinity
  }

  /** The recipes in YAML without faults. */
  get recipes(): ReadonlyMap<string, Recipe> {
    return this.#found.recipes
  }

  /** A recipe in code; undefined: it is in YAML, or there is none. */
  code(id: string): LoadedCode | undefined {
    return this.#code.get(id)
  }

  /** @param instruments - what is known of the site's instruments: recipes that do not fit them have faults */
  describe(instruments: ReadonlyMap<string, InstrumentDescription>): RecipeDescription[] {
    const { read, recipes } = this.#found
    const code = [...this.#code.values()].map(({ declared }) => describeCode(declared, recipes, instruments))
    const names = new Set(code.map(({ id }) => id))
    const inYaml = read.filter(({ id }) => !names.has(id))
    return [...inYaml.map((each) => describeRecipe(each, recipes, instruments)), ...code].map((recipe) => ({
      ...recipe,
      faults: recipe.faults.map((fault) => this.#shortened(fault)),
    }))
  }

  /** With paths as the site's people know them: pages show it, and where golem stands on its disk is nobody's business. */
  #shortened(fault: string): string {
    return this.#roots.reduce((text, root) => text.replaceAll(root, ''), fault)
  }

  #faulty(id: string, faults: readonly Fault[]): GolemError {
    const words = faults.slice(0, 5).map((fault) => this.#shortened(describeFault(fault)))
    return new GolemError('CONFIG_INVALID', `The recipe ${id} has faults: ${words.join(' ')}`)
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
    const code = this.#code.get(id)
    if (code) {
      const made = codeProgram(code.declared, { recipes, bindings, descriptions: instruments })
      if (!made.program) throw this.#faulty(id, made.faults)
      return made.program
    }
    const known = read.find((each) => each.id === id)
    if (!known) {
      const why = this.knowsCode
        ? ' any more.'
        : ' in YAML, and those in code are still being read: try again.'
      throw new GolemError('NOT_FOUND', `There is no recipe "${id}"${why}`)
    }
    if (!known.recipe) throw this.#faulty(id, known.faults)
    const { program, faults } = link(known.recipe, { recipes, bindings, descriptions: instruments })
    if (!program) throw this.#faulty(id, faults)
    return program
  }
}

/** Names, sizes and times of the files: when they are the same, so are the files. */
function look(folders: readonly string[], wanted: RegExp): string {
  return folders
    .flatMap((folder) => {
      try {
        return readdirSync(folder)
          .filter((name) => wanted.test(name))
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
