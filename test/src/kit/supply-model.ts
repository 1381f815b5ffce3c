import { GolemError, type LineDriver, type Model } from '@golem/core'

/** The driver of the test's supply (supply.ts). */
export const supplyModel: Model = {
  id: 'test-supply',
  label: 'Supply of the tests',
  kind: 'power supply',
  source: 'test/src/kit/supply.ts',
  transport: 'line',
  optionsSchema: { type: 'object', additionalProperties: false, properties: {} },
  create: (): LineDriver => ({
    transport: 'line',
    link: { sendTerminator: '\n', receiveTerminator: '\n', replyTimeoutMs: 500, quietMs: 50 },
    replies: 'query',
    identify: async (io) => {
      const identity = await io.ask('*IDN?')
      if (!identity.startsWith('GOLEM,SUPPLY')) {
        throw new GolemError('WRONG_INSTRUMENT', `It answers "${identity}" to *IDN?.`)
      }
    },
    parameters: {
      voltage: {
        label: 'Voltage',
        type: 'number',
        unit: 'V',
        write: (io, value) => io.send(`VOLT ${Number(value)}`),
      },
      output: {
        label: 'Output',
        type: 'boolean',
        safe: false,
        write: (io, value) => io.send(`OUTP ${value === true ? 1 : 0}`),
      },
    },
    actions: {},
    readAll: async (io) => {
      const voltage = Number(await io.ask('VOLT?'))
      const output = await io.ask('OUTP?')
      // What is not one of these belongs to somebody else's question.
      if (!['0', '1'].includes(output)) throw new GolemError('REPLY_MALFORMED', `OUTP? gave "${output}".`)
      return { voltage, output: output === '1' }
    },
  }),
}
