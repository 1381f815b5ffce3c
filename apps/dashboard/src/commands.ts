import type { CommandRecord, InstrumentDescription, PowerReturnChoice } from '@golem/core'
import {
  type Api,
  type CommandBody,
  type GiveBackQuery,
  Problem,
  type ReservationBody,
  Unreachable,
} from './api.ts'
import { formatTarget } from './format.ts'
import { readingOf } from './model.ts'
import type { Poller } from './poll.ts'
import * as store from './store.ts'
import { type Ended, PACE, submitCommand, waitForSettlement } from './submit.ts'

/** A good outcome is read in this time and then makes room. */
const DONE_TOAST_MS = 4000
const STOP_RETRY_MS = 1000
const READ_CHECK_MS = 50
/**
 * When the state is fetched after an outcome, besides at once, in ms: the worker reads the instrument again right
 * after a command, and what it then shows is what the person is waiting for.
 */
const FETCH_AGAIN_MS = [150, 400, 1000]

/** What the page says when something other than a command was refused or failed. */
type Complaint =
  | 'interlockResetFailed'
  | 'powerReturnFailed'
  | 'releaseFailed'
  | 'cancelFailed'
  | 'stopRefused'
  | 'reservationFailed'

/** Everything people do on the page that reaches the server. */
export class Commands {
  readonly #api: Api
  readonly #poller: Pick<Poller, 'soon'>

  constructor(api: Api, poller: Pick<Poller, 'soon'>) {
    this.#api = api
    this.#poller = poller
  }

  /** Sends a command and reports its outcome in a toast; one at a time for each parameter and action. */
  async send(instrument: InstrumentDescription, body: CommandBody): Promise<void> {
    const key = pendingKey(instrument.id, 'parameter' in body ? body.parameter : `${body.action}()`)
    if (store.pending.value.has(key)) return
    const title = `${instrument.label}: ${formatTarget(body, instrument, store.language.value)}`
    let toast: number | null = null
    store.setPending(key, 'parameter' in body ? body.value : null)
    try {
      const ended = await submitCommand(this.#api, instrument.id, body, {
        onRetry: (attempt, of) => {
          const message = store.t('sendRetry', { attempt, of })
          if (toast === null)
            toast = store.addToast({ outcome: 'sending', effect: 'unknown', title, message })
          else store.changeToast(toast, { message })
        },
        onRecord: () => {
          if (toast !== null) store.dismissToast(toast)
          toast = null
        },
      })
      if (toast !== null) store.dismissToast(toast)
      this.#report(title, ended)
      if (ended.record && hasAnswer(ended.record)) store.setAnswer(key, ended.record)
      if (ended.effect !== 'none') this.#watchClosely()
      if (ended.outcome === 'done' && ended.record) await readSince(ended.record, instrument)
    } finally {
      store.setPending(key, undefined)
      this.#poller.soon()
    }
  }

  /** Fetches the state at once and a few times more, to show soon what the instrument has made of it. */
  #watchClosely(): void {
    this.#poller.soon()
    for (const ms of FETCH_AGAIN_MS) setTimeout(() => this.#poller.soon(), ms)
  }

  #report(title: string, ended: Ended): void {
    const of = PACE.retryAfterMs.length + 1
    const reason = ended.reason === undefined ? '' : store.t(ended.reason, { of })
    const id = store.addToast({
      outcome: ended.outcome,
      effect: ended.effect,
      title,
      message: ended.message === undefined ? reason : store.said(ended.message, ended.code),
    })
    if (ended.outcome === 'done') setTimeout(() => store.dismissToast(id), DONE_TOAST_MS)
    if (ended.outcome === 'unknown' && ended.record) void this.#settle(id, ended.record)
  }

  async #settle(toast: number, record: NonNullable<Ended['record']>): Promise<void> {
    const settled = (await waitForSettlement(this.#api, record))?.settled
    if (settled) {
      store.changeToast(toast, {
        effect: settled.effect,
        settled: store.t('settledBy', { message: store.said(settled.message) }),
      })
    }
  }

  /**
   * Emergency stop, at once; goes on trying until the server has confirmed it or somebody gives up.
   *
   * @param instrument - id; null: everything
   */
  async stop(instrument: string | null): Promise<void> {
    const key = instrument ?? ''
    if (store.unconfirmedStops.value.has(key)) return
    for (let attempt = 1; attempt === 1 || store.unconfirmedStops.value.has(key); attempt += 1) {
      store.setUnconfirmedStop(instrument, attempt)
      const refusal = await this.#tryStop(instrument)
      if (refusal === 'silence') {
        await new Promise((resolve) => {
          setTimeout(resolve, STOP_RETRY_MS)
        })
        continue
      }
      store.setUnconfirmedStop(instrument, null)
      if (refusal !== null) this.#complain('stopRefused', refusal)
      this.#watchClosely()
      return
    }
  }

  /** @returns null when stopped, `silence` when the server did not answer or could not, or why it refused */
  async #tryStop(instrument: string | null): Promise<string | null> {
    try {
      await this.#api.stop(instrument, store.t('stopReasonPage'))
      return null
    } catch (error) {
      if (error instanceof Unreachable) return 'silence'
      if (!(error instanceof Problem)) throw error
      return error.status >= 500 ? 'silence' : store.saidOf(error)
    }
  }

  giveUpStop(instrument: string | null): void {
    store.setUnconfirmedStop(instrument, null)
  }

  async release(instrument: string | null): Promise<void> {
    await this.#orComplain('releaseFailed', () => this.#api.release(instrument))
  }

  async settlePowerReturn(instrument: string, keep: PowerReturnChoice): Promise<void> {
    await this.#orComplain('powerReturnFailed', () => this.#api.settlePowerReturn(instrument, keep))
  }

  async resetInterlock(name: string, note: string): Promise<void> {
    await this.#orComplain('interlockResetFailed', () => this.#api.resetInterlock(name, note))
  }

  async cancel(id: string): Promise<void> {
    await this.#orComplain('cancelFailed', () => this.#api.cancel(id))
  }

  async reserve(instrument: string, body: ReservationBody): Promise<void> {
    await this.#orComplain('reservationFailed', () => this.#api.reserve(instrument, body))
  }

  async giveBack(instrument: string, query: GiveBackQuery = {}): Promise<void> {
    await this.#orComplain('reservationFailed', () => this.#api.giveBack(instrument, query))
  }

  async #orComplain(key: Complaint, request: () => Promise<void>): Promise<void> {
    try {
      await request()
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error
      this.#complain(key, store.saidOf(error))
    }
    this.#poller.soon()
  }

  #complain(key: Complaint, message: string): void {
    store.addToast({ outcome: 'failed', effect: null, title: store.t(key, { message }), message: '' })
  }
}

/**
 * Waits until the parameter that a command wrote has been read again, or two polls should have done it. Until
 * then its control shows the old value and would invite to a second press.
 */
async function readSince(record: CommandRecord, instrument: InstrumentDescription): Promise<void> {
  const { parameter, endedAt = '' } = record
  if (parameter === undefined || !instrument.parameters[parameter]?.readable) return
  const giveUpAt = performance.now() + 2 * instrument.pollEveryMs + 1000
  while (performance.now() < giveUpAt) {
    const reading = readingOf(store.site.value?.instruments.get(record.instrument), parameter)
    if (Date.parse(reading?.at ?? '') >= Date.parse(endedAt) || reading?.value === record.value) return
    await new Promise((resolve) => {
      setTimeout(resolve, READ_CHECK_MS)
    })
  }
}

/** Whether an action was answered with more than that it is done. */
export function hasAnswer({ action, result, resultItems }: CommandRecord): boolean {
  return action !== undefined && (result !== undefined || resultItems !== undefined)
}

/** @param target - a parameter's name, or an action's with `()` */
export function pendingKey(instrument: string, target: string): string {
  return `${instrument}.${target}`
}
