import { signal } from '@preact/signals'
import type { RunRecord, RunRequest, ScheduleState, Value } from '@golem/core'
import { Problem, Unreachable } from './api.ts'
import type { AutomationApi, RunBody } from './automation-api.ts'
import type { MessageKey } from './i18n.ts'
import type { Poller } from './poll.ts'
import { refusalIn } from './runs.ts'
import * as store from './store.ts'

/** A good outcome is read in this time and then makes room. */
const DONE_TOAST_MS = 4000
/** Pauses before the same request goes again, in ms. */
const RETRY_AFTER_MS = [500, 1000, 2000]
/** How long a scheduler may take until people are told that none has answered, in ms. */
const PATIENCE_MS = 8000
const LOOK_EVERY_MS = 200
const EVENTS = 50

/** What was asked of runs on this page and has had no effect yet, as `RUN REQUEST`. */
export const asked = signal<ReadonlySet<string>>(new Set())

/** What each request is called, and what it means. */
export const REQUESTS: Readonly<Record<RunRequest, { label: MessageKey; meaning: MessageKey }>> = {
  pause: { label: 'runPause', meaning: 'runPauseMeans' },
  resume: { label: 'runResume', meaning: 'runResumeMeans' },
  skip: { label: 'runSkip', meaning: 'runSkipMeans' },
  reset: { label: 'runReset', meaning: 'runResetMeans' },
  ping: { label: 'runPing', meaning: 'runPingMeans' },
  stop: { label: 'runStop', meaning: 'runStopMeans' },
  abort: { label: 'runAbort', meaning: 'runAbortMeans' },
  kill: { label: 'runKill', meaning: 'runKillMeans' },
}

/** What people do with runs and schedules on the page. What they ask for is done by the scheduler. */
export class RunCommands {
  readonly #api: AutomationApi
  readonly #poller: Pick<Poller, 'soon'>

  constructor(api: AutomationApi, poller: Pick<Poller, 'soon'>) {
    this.#api = api
    this.#poller = poller
  }

  /**
   * Starts a run.
   *
   * @param key - the same for the same wish: however often it is sent, one run is started
   * @returns why it was not, as a sentence; null: it was
   */
  async start(body: RunBody, key: string): Promise<string | null> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const run = await this.#api.start(body, key)
        this.#done(store.t('runStarted', { name: run.label }), '')
        this.#poller.soon()
        return null
      } catch (error) {
        if (!(error instanceof Problem || error instanceof Unreachable)) throw error
        const isKnown = error instanceof Problem && !(error.status >= 500 && error.effect === 'unknown')
        if (isKnown) return store.saidOf(error)
        const pause = RETRY_AFTER_MS[attempt]
        if (pause === undefined) return store.t('runStartUnknown', { message: store.saidOf(error) })
        await sleep(pause)
      }
    }
  }

  /** Asks something of a run, and tells what came of it. */
  async ask(run: RunRecord, request: RunRequest): Promise<void> {
    const key = `${run.id} ${request}`
    if (asked.value.has(key)) return
    asked.value = new Set([...asked.value, key])
    try {
      const title = `${run.label}: ${store.t(REQUESTS[request].label)}`
      const failed = await this.#carryOut(run, title, () => this.#api.ask(run, request))
      if (failed !== null) complain(title, failed)
    } finally {
      asked.value = new Set([...asked.value].filter((each) => each !== key))
    }
  }

  /** Changes parameters of a run. @returns why they were not, as a sentence; null: they were, or will be */
  async change(run: RunRecord, parameters: Readonly<Record<string, Value>>): Promise<string | null> {
    const title = `${run.label}: ${store.t('runParametersChanged')}`
    return this.#carryOut(run, title, () => this.#api.change(run.id, parameters))
  }

  /** Switches a schedule on or off. */
  async enable({ id, label }: ScheduleState, enabled: boolean): Promise<void> {
    const title = `${label}: ${store.t(enabled ? 'scheduleOn' : 'scheduleOff')}`
    try {
      await this.#api.enable(id, enabled)
      if (await this.#isEnabled(id, enabled)) this.#done(title, '')
      else store.addToast({ outcome: 'news', effect: null, title, message: store.t('runNoAnswer') })
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error
      complain(title, store.saidOf(error))
    }
  }

  /** Waits until a schedule is as it was asked to be. @returns false when nobody has done it in good time */
  async #isEnabled(schedule: string, wanted: boolean): Promise<boolean> {
    const giveUpAt = performance.now() + PATIENCE_MS
    while (performance.now() < giveUpAt) {
      const found = (await this.#api.schedules()).find(({ id }) => id === schedule)
      if (found?.enabled === wanted) return true
      await sleep(LOOK_EVERY_MS)
    }
    return false
  }

  /** Asks, waits until the scheduler has written the run's record anew, and looks whether it refused. */
  async #carryOut(run: RunRecord, title: string, request: () => Promise<void>): Promise<string | null> {
    const before = recordOf(run.id)?.seenAt
    const since = store.siteNow() ?? 0
    try {
      await request()
      const after = await this.#answerOf(run.id, before)
      if (after === null) {
        store.addToast({ outcome: 'news', effect: null, title, message: store.t('runNoAnswer') })
        return null
      }
      const refused = refusalIn(await this.#api.runEvents(EVENTS), run.id, since)
      if (refused !== null) return store.said(refused)
      this.#done(title, store.said(after.state === 'running' ? after.progress.doing : after.message))
      return null
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error
      return store.saidOf(error)
    }
  }

  /** The run's record as it is after `before`; null: nobody has written it in good time. */
  async #answerOf(run: string, before: string | undefined): Promise<RunRecord | null> {
    const giveUpAt = performance.now() + PATIENCE_MS
    while (performance.now() < giveUpAt) {
      const record = recordOf(run)
      if (record && record.seenAt !== before) return record
      this.#poller.soon()
      await sleep(LOOK_EVERY_MS)
    }
    return null
  }

  #done(title: string, message: string): void {
    const id = store.addToast({ outcome: 'done', effect: null, title, message })
    setTimeout(() => store.dismissToast(id), DONE_TOAST_MS)
  }
}

function recordOf(run: string): RunRecord | undefined {
  return store.site.value?.runs.find(({ id }) => id === run)
}

function complain(title: string, message: string): void {
  store.addToast({ outcome: 'refused', effect: null, title, message })
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
