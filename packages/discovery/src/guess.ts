import { GolemError, type LineIo, type Model } from '@golem/core'

/**
 * The models that take an answer to `*IDN?` for their own: each is asked to identify an instrument that gives this
 * answer and no other.
 */
export async function modelsThatKnow(idn: string, models: Iterable<Model>): Promise<string[]> {
  const known: string[] = []
  const unasked = (): never => {
    throw new GolemError('WRONG_INSTRUMENT', 'Only *IDN? is answered here.')
  }
  const io: LineIo = {
    ask: async (line, { accept = () => true } = {}) =>
      line.trim().toUpperCase() === '*IDN?' && accept(idn) ? idn : unasked(),
    send: async () => undefined,
    expect: async () => unasked(),
    askBytes: async () => unasked(),
    sendBytes: async () => undefined,
    sleep: async () => undefined,
  }
  for (const model of models) {
    if (model.transport !== 'line') continue
    let asked = false
    const watched: LineIo = {
      ...io,
      ask: (line, options) => {
        asked ||= line.trim().toUpperCase() === '*IDN?'
        return io.ask(line, options)
      },
    }
    try {
      const driver = model.create({})
      if (driver.transport !== 'line') continue
      await driver.identify(watched)
      // A model that asks nothing takes anything: that is no knowledge.
      if (asked) known.push(model.id)
    } catch (error) {
      // It is none of this model's, or the model needs options: both mean that it is not proposed.
      if (!(error instanceof GolemError)) throw error
    }
  }
  return known
}
