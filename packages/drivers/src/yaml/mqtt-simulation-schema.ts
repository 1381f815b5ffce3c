import { duration, flag, integer, list, table, text } from './schema.ts'
import type { RawSimulation } from './simulation-schema.ts'
import { stateSchema } from './simulation-schema.ts'

/** What a simulated device publishes. */
export interface RawSaying {
  topic: string
  payload?: string
  retain?: boolean
  qos?: 0 | 1
  /** Only when one of these variables has got another value. */
  changed?: string[]
}

/** What it does on a message. */
export interface RawMqttRule {
  topic: string
  pattern?: string
  when?: Record<string, string | number>
  set?: Record<string, string | number>
  publish?: RawSaying[]
}

/** A device behind a broker that is played by its model file. */
export interface RawMqttSimulation {
  state?: RawSimulation['state']
  will?: RawSaying
  connect?: RawSaying[]
  rules?: RawMqttRule[]
  every?: string
  publish?: RawSaying[]
}

const word = { type: ['string', 'number'], description: 'a text or number' }
const topic = text(
  'the topic, relative to that of the address; {topic} stands for that, e.g. stat/{topic}/RESULT',
)
const saying = (description: string, more: Readonly<Record<string, object>> = {}): object =>
  table(
    description,
    {
      topic,
      payload: {
        type: 'string',
        maxLength: 4000,
        description: 'the message, with variables as {name}; a bracket itself is written twice',
      },
      retain: flag('true: the broker keeps it for those who come later'),
      qos: integer(0, 1, '0 (default) or 1'),
      ...more,
    },
    ['topic'],
  )
const changed = {
  changed: list(
    'only when one of these variables has got another value by the command',
    text('a variable'),
    1,
  ),
}

/** The part of a model file that plays the device at a broker, for tests and for trying a site without it. */
export const mqttSimulationSchema = table('What a simulated device says and does', {
  state: stateSchema,
  will: saying('Its last will: what the broker publishes when the device is gone without a good-bye'),
  connect: list('what it publishes when it has connected', saying('One message')),
  rules: list(
    'What it does on which message; the first one that fits',
    table(
      'One rule',
      {
        topic,
        pattern: text(
          'a pattern of the whole message; its named groups are taken as variables of the same name; without it any message',
        ),
        when: {
          type: 'object',
          description: 'only while these variables have these values',
          additionalProperties: word,
        },
        set: {
          type: 'object',
          description:
            'variables that get a value; a {name} in it is what stood in the message, or another variable',
          additionalProperties: word,
        },
        publish: list('what it publishes then', saying('One message', changed), 1),
      },
      ['topic'],
    ),
  ),
  every: duration('how often it publishes what "publish" says'),
  publish: list('what it publishes by itself, all of it each time', saying('One message'), 1),
})
