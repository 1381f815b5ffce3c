import { type Value, valueInWords } from '@golem/core'
import type { WireFault } from '@golem/simulator'
import type { Bench, Outcome, PollOutcome } from './bench.ts'
import type { FaultCase } from './fault-cases.ts'
import { learn, type Manner, outcomeInWords, pause, settle, tally, wrongReading } from './manner.ts'

/** After a fault is over, so many polls may still fail. */
const TRIES = 3
/** How long something that was published may be under way, in ms. */
const UNDER_WAY_MS = 1000
/** At so many exchanges of a write the fault strikes one by one. */
const MOST_POSITIONS = 3

/** What was found wrong, by the level that it costs. */
export interface Problems {
  silver: string[]
  gold: string[]
}

/** Takes a driver through one fault: poll, write, write again, with the fault lasting and with it striking once. */
export async function runFaultCase(bench: Bench, faultCase: FaultCase): Promise<Problems> {
  return new FaultScenario(bench, await learn(bench), faultCase).run()
}

/** A conversation never ended: the link is taken for good, and nothing more is to be learned. */
class Hung extends Error {}

class FaultScenario {
  readonly #bench: Bench
  readonly #manner: Manner
  readonly #case: FaultCase
  readonly #problems: Problems = { silver: [], gold: [] }
  /** The states the instrument may be in, by their number in the manner. */
  #possible: Set<number>
  /** Writes that were given up: nothing of them may go out again. */
  #givenUp: { index: number; at: number }[] = []

  constructor(bench: Bench, manner: Manner, faultCase: FaultCase) {
    this.#bench = bench
    this.#manner = manner
    this.#case = faultCase
    this.#possible = new Set([Math.max(0, manner.states.length - 1)])
  }

  async run(): Promise<Problems> {
    try {
      await this.#steps()
    } catch (error) {
      if (!(error instanceof Hung)) throw error
      this.#problems.gold.push('it hung')
    }
    return this.#problems
  }

  async #steps(): Promise<void> {
    const { harmless = false, lasting = false } = this.#case
    await this.#write(0, 'before the fault', true)
    await this.#lasting()
    await this.#recover('after the fault has lasted')
    if (harmless || lasting) return
    await this.#faults({ from: 1, times: 1 })
    this.#judgePoll(await this.#bench.poll(), 'a poll that it strikes once')
    await this.#recover('after it has struck a poll')
    const positions = Math.min(this.#manner.writeRequests, MOST_POSITIONS)
    for (let from = 1; from <= positions; from += 1) {
      const where = `exchange ${from} of a write`
      await this.#faults({ from, times: 1 })
      await this.#write(1, where)
      await this.#recover(`after it has struck ${where}`)
    }
  }

  /** Poll, write, write again, all under the fault. */
  async #lasting(): Promise<void> {
    await this.#faults({})
    this.#judgePoll(await this.#bench.poll(), 'a poll')
    await this.#write(1, 'a write')
    await this.#write(0, 'writing again')
    this.#judgePoll(await this.#bench.poll(), 'a poll after writing')
  }

  async #faults(when: Pick<WireFault, 'from' | 'times'>): Promise<void> {
    const { replyTimeoutMs } = this.#bench.driver.link
    await this.#bench.wire.setFaults([{ ...this.#case.fault(replyTimeoutMs), ...when }])
  }

  /** The fault is over: the next polls have to be good, and writing has to work. */
  async #recover(when: string): Promise<void> {
    await this.#bench.wire.setFaults([])
    const { good } = this.#manner
    // What a write has half done may honestly be called no value.
    const needed = this.#possible.size > 1 ? 'reading' : 'value'
    const { why, readings } = await settle(this.#bench, good, TRIES, needed)
    if (why !== null) this.#problems.gold.push(`${when}, ${TRIES} polls did not bring it back: ${why}`)
    const wrong = wrongReading(this.#bench, this.#manner, this.#possible, readings)
    if (wrong !== null) this.#problems.silver.push(`${when}: ${wrong}`)
    this.#judgeGivenUp(when)
    if (why !== null || this.#manner.target === null) return
    await this.#write(0, when, true)
    const after = await settle(this.#bench, good, TRIES)
    if (after.why !== null) this.#problems.gold.push(`${when} and another write: ${after.why}`)
    const stale = wrongReading(this.#bench, this.#manner, this.#possible, after.readings)
    if (stale !== null) this.#problems.silver.push(`${when} and another write: ${stale}`)
  }

  #judgePoll(outcome: PollOutcome, what: string): void {
    this.#judgeEnd(outcome, what)
    const wrong = wrongReading(this.#bench, this.#manner, this.#possible, outcome.readings)
    if (wrong !== null) this.#problems.silver.push(`${what}: ${wrong}`)
  }

  /** @param mustWork - the fault is over, or harmless */
  async #write(index: number, what: string, mustWork = false): Promise<void> {
    const { target, values } = this.#manner
    const value: Value | undefined = values[index]
    if (target === null || value === undefined) return
    this.#judgeGivenUp(what)
    this.#givenUp = this.#givenUp.filter((each) => each.index !== index)
    const outcome = await this.#bench.write(target, value)
    const words = `${what} (${target} = ${valueInWords(value)})`
    if (!mustWork || outcome.hung) this.#judgeEnd(outcome, words)
    else if (outcome.error) this.#problems.gold.push(`${words} did not work: ${outcomeInWords(outcome)}`)
    if (outcome.error === null) await this.#underWay(index, outcome)
    this.#judgeSent(index, outcome, words)
    if (outcome.error === null) this.#possible = new Set([index])
    else if (outcome.sentAt !== null) this.#possible.add(index)
    if (outcome.error) this.#givenUp.push({ index, at: outcome.endedAt })
  }

  /**
   * Behind a broker a device that is told again what it does already confirms it by a state it has told before: then what
   * was published may still be under way.
   */
  async #underWay(index: number, { sentAt }: Outcome): Promise<void> {
    if (this.#bench.driver.transport !== 'mqtt' || sentAt === null) return
    const wanted = this.#manner.writes[index] ?? new Map<string, number>()
    const giveUpAt = performance.now() + UNDER_WAY_MS
    const isThere = (): boolean => {
      const keys = new Set(this.#bench.arrived(sentAt).map(({ key }) => key))
      return [...wanted.keys()].every((key) => keys.has(key))
    }
    while (!isThere() && performance.now() < giveUpAt) await pause(UNDER_WAY_MS / 50)
  }

  #judgeEnd(outcome: Outcome, what: string): void {
    const { codes, harmless = false, name } = this.#case
    const { error, hung } = outcome
    const say = (why: string): void => void this.#problems.silver.push(`${what}: ${why}`)
    if (hung) {
      say('it never ended')
      throw new Hung(what)
    }
    if (error && harmless) say(`it failed although the answer came: ${outcomeInWords(outcome)}`)
    else if (error && !codes.includes(error.code))
      say(`${outcomeInWords(outcome)} is not the error of "${name}"`)
  }

  /** Has it gone out as often as when all is well, and is that what the outcome says? */
  #judgeSent(index: number, outcome: Outcome, what: string): void {
    const say = (why: string): void => void this.#problems.silver.push(`${what}: ${why}`)
    const { error, sentAt, endedAt } = outcome
    const wanted = this.#manner.writes[index] ?? new Map<string, number>()
    // What was confirmed is awaited, see #underWay.
    const until = error === null && this.#bench.driver.transport === 'mqtt' ? Infinity : endedAt
    const arrived = sentAt === null ? [] : this.#bench.arrived(sentAt, until)
    for (const [key, count] of tally(arrived.map((each) => each.key))) {
      const usual = wanted.get(key)
      if (usual !== undefined && count > usual) say(`${JSON.stringify(key)} was sent ${count} times`)
    }
    if (error === null) {
      for (const key of wanted.keys()) {
        const passed = arrived.some((each) => each.key === key && each.passed)
        if (!passed) say(`it was called done, but ${JSON.stringify(key)} has not reached the instrument`)
      }
      return
    }
    const gone = arrived.some(({ key }) => wanted.has(key))
    if (gone && error.effect === 'none') {
      say(`${error.code} says that nothing was sent, but it was`)
    }
    if (sentAt === null && error.effect !== 'none') say(`${error.code} although nothing had been sent`)
  }

  /** Nothing of a write that was given up may go out later. */
  #judgeGivenUp(when: string): void {
    this.#givenUp = this.#givenUp.filter(({ index, at }) => {
      const others = this.#manner.writes.filter((_, other) => other !== index)
      const own = [...(this.#manner.writes[index]?.keys() ?? [])].filter(
        // What has been acknowledged before may be sent again when the instrument is initialised anew.
        (key) => index !== 0 && !others.some((keys) => keys.has(key)),
      )
      const again = this.#bench.arrived(at).find(({ key }) => own.includes(key))
      if (again) {
        this.#problems.silver.push(
          `${when}: ${JSON.stringify(again.key)} was sent again after it had been given up`,
        )
      }
      return !again
    })
  }
}
