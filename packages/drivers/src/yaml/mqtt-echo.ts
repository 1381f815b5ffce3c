import type { MqttIo } from '@golem/core'
import type { Report } from './model-file.ts'
import { checkTopic } from './mqtt-source.ts'
import { table, text } from './schema.ts'

/** What the device answers whenever it is sent, as a model file has it. */
export interface RawEcho {
  topic: string
  payload?: string
  answer: string
}

export const echoSchema = table(
  'What the device always answers. The answer shows that it has had everything that was sent before: so a command that changes nothing is confirmed too ("onlyChanges")',
  {
    topic: text('the topic of the question'),
    payload: { type: 'string', maxLength: 1000, description: 'the question; default empty' },
    answer: text('the topic of the answer'),
  },
  ['topic', 'answer'],
)

/** Reports what is wrong with it. */
export function checkEcho({ topic, answer }: RawEcho, report: Report): void {
  checkTopic(topic, ['echo', 'topic'], report)
  checkTopic(answer, ['echo', 'answer'], report)
}

/** Asks one device whether it has had everything that was sent before. */
export class Echo {
  readonly #raw: RawEcho
  readonly #timeoutMs: number
  /** Questions whose answers did not come in time, and may come yet. */
  #owed = 0

  constructor(raw: RawEcho, timeoutMs: number) {
    this.#raw = raw
    this.#timeoutMs = timeoutMs
  }

  /**
   * Answers carry nothing that tells them from each other: only when one more has come than are owed from before is
   * there one to a question of now.
   *
   * @throws REPLY_TIMEOUT, and what publishing throws
   */
  async ask(io: MqttIo): Promise<void> {
    const { topic, payload = '', answer } = this.#raw
    const questions = this.#owed + 1
    for (let question = 0; question < questions; question += 1) {
      await io.publish(topic, payload, { qos: 1 })
      this.#owed += 1
      await io.expect(answer, { timeoutMs: this.#timeoutMs })
      this.#owed -= 1
    }
    this.#owed = 0
  }
}
