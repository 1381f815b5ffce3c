import assert from 'node:assert/strict'
import type { CommandRecord, RecipeDescription, RunRecord, RunRow } from '@golem/core'
import { eventually } from './eventually.ts'
import type { Stand } from './stand.ts'

/** What tests do with the runs of a stand. */
export class Runs {
  readonly #stand: Stand

  constructor(stand: Stand) {
    this.#stand = stand
  }

  /** Waits until a recipe is known and without fault; some of its instruments may have to be named. */
  known(id: string): Promise<RecipeDescription> {
    return this.recipe(id, false)
  }

  /** Waits until a recipe can be started with the instruments that it names. */
  recipe(id: string, withRoles = true): Promise<RecipeDescription> {
    return eventually(
      async () => {
        const { body } = await this.#stand.api<RecipeDescription[]>('/api/recipes')
        const found = body.find((recipe) => recipe.id === id)
        if (found && found.faults.length > 0) throw new Error(found.faults.join('\n'))
        // A role whose instrument no worker has described yet.
        const isOpen = Object.values(found?.roles ?? {}).some((role) => role.default === null)
        return isOpen && withRoles ? undefined : found
      },
      {
        what: `the recipe ${id} is known, without fault, with instruments for all its roles`,
        timeoutMs: 20_000,
      },
    )
  }

  /** @param more - `instruments`, `note` */
  async start(recipe: string, parameters: object = {}, more: object = {}): Promise<string> {
    const { status, body } = await this.#stand.api<RunRecord>('/api/runs', {
      method: 'POST',
      body: { recipe, parameters, ...more },
    })
    assert.equal(status, 202, JSON.stringify(body))
    return body.id
  }

  async get(id: string): Promise<RunRecord> {
    return (await this.#stand.api<RunRecord>(`/api/runs/${id}`)).body
  }

  async ask(id: string, request: string): Promise<void> {
    const { status, body } = await this.#stand.api(`/api/runs/${id}/${request}`, { method: 'POST', body: {} })
    assert.equal(status, 202, JSON.stringify(body))
  }

  async change(id: string, parameters: object): Promise<void> {
    const { status, body } = await this.#stand.api(`/api/runs/${id}`, {
      method: 'PATCH',
      body: { parameters },
    })
    assert.equal(status, 202, JSON.stringify(body))
  }

  /** Waits until a run is as `wanted` says. @param what - for the message, as a sentence */
  until(
    id: string,
    wanted: (run: RunRecord) => unknown,
    what: string,
    timeoutMs = 20_000,
  ): Promise<RunRecord> {
    return eventually(
      async () => {
        const run = await this.get(id)
        if (!wanted(run)) throw new Error(JSON.stringify(run))
        return run
      },
      { what, timeoutMs },
    )
  }

  ended(id: string, timeoutMs?: number): Promise<RunRecord> {
    return this.until(id, ({ state }) => state === 'ended', `run ${id} has ended`, timeoutMs)
  }

  async rows(id: string): Promise<RunRow[]> {
    return (await this.#stand.api<RunRow[]>(`/api/runs/${id}/rows`)).body
  }

  /** The commands that a run has given, oldest first. */
  async commands(id: string): Promise<CommandRecord[]> {
    const { body } = await this.#stand.api<CommandRecord[]>('/api/commands?limit=1000')
    return body.filter(({ by }) => by === `run ${id}`).toReversed()
  }

  /** What a run has written, oldest first, e.g. `exp-board.relay0 true done`. */
  async written(id: string): Promise<string[]> {
    return (await this.commands(id)).map(
      ({ instrument, parameter, action, value, outcome }) =>
        `${instrument}.${parameter ?? action ?? ''} ${value === undefined ? '' : `${String(value)} `}${outcome ?? 'waits'}`,
    )
  }
}
