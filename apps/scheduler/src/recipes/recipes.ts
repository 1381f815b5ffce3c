import { messageOf, type RecipeDescription } from '@golem/core'
import type { SchedulerWrite, SiteChange } from '@golem/queue'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Part, PartContext } from '../part.ts'
import type { RememberedCode } from '../code/load-code.ts'
import type { RecipeShelf } from './recipe-shelf.ts'

/** How often the files are looked at, in ms. */
const LOOK_EVERY_MS = 2_000
/** Under which name it is remembered what recipes in code are. */
const CODE = 'code'
/** So long a new leader waits for recipes in code before it goes on without them, in ms. */
const CODE_WITHIN_MS = 1_000

/** Tells the site which recipes there are, and what is wrong with them. */
export class Recipes implements Part {
  readonly #context: PartContext
  readonly #shelf: RecipeShelf
  readonly #told = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined
  #isDirty = true
  /** Of recipes in code. */
  #toldVersion = -1
  #isBusy = false

  constructor(context: PartContext, shelf: RecipeShelf) {
    this.#context = context
    this.#shelf = shelf
  }

  async begin(remembered: ReadonlyMap<string, unknown>): Promise<void> {
    this.#shelf.remember((remembered.get(CODE) ?? []) as readonly RememberedCode[])
    for (const [id, recipe] of this.#context.client.site.view.recipes)
      this.#told.set(id, JSON.stringify(recipe))
    this.#shelf.refresh()
    // A file that hangs must not keep anybody from taking over.
    await Promise.race([this.#shelf.refreshCode(), sleep(CODE_WITHIN_MS, undefined, { ref: false })])
    await this.#tell()
    this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS)
  }

  change(change: SiteChange): void {
    // With an instrument that a worker describes for the first time recipes that speak of it lose a fault.
    if (change.kind === 'description' || change.kind === 'everything') this.#isDirty = true
  }

  end(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      if (this.#shelf.refresh()) this.#isDirty = true
      if (this.#isDirty) await this.#tell()
      await this.#shelf.refreshCode()
      if (this.#toldVersion !== this.#shelf.codeVersion) await this.#tell()
    } catch (error) {
      this.#context.log.warn(`recipes are not told: ${messageOf(error)}`)
    } finally {
      this.#isBusy = false
    }
  }

  async #tell(): Promise<void> {
    this.#isDirty = false
    this.#toldVersion = this.#shelf.codeVersion
    const { client } = this.#context
    const now = new Map(
      this.#shelf.describe(client.site.view.descriptions).map((recipe) => [recipe.id, recipe] as const),
    )
    const writes: SchedulerWrite[] = [...now].flatMap(([id, value]) =>
      this.#told.get(id) === JSON.stringify(value) ? [] : [{ op: 'record', table: 'recipe', id, value }],
    )
    for (const [id, recipe] of this.#told) {
      if (!now.has(id) && !this.#shelf.knowsCode && isCode(recipe))
        now.set(id, JSON.parse(recipe) as RecipeDescription)
      else if (!now.has(id)) writes.push({ op: 'record', table: 'recipe', id, value: null })
    }
    if (writes.length === 0) return
    await client.write([...writes, { op: 'remember', name: CODE, value: this.#shelf.toRemember }])
    this.#told.clear()
    for (const [id, recipe] of now) this.#told.set(id, JSON.stringify(recipe))
  }
}

function isCode(recipe: string): boolean {
  return (JSON.parse(recipe) as RecipeDescription).kind === 'code'
}
