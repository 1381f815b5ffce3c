import { duration, table } from './schema-parts.ts'

const amount = (description: string): object => ({
  type: 'number',
  exclusiveMinimum: 0,
  description: `${description}; above 0`,
})

/** What a site may demand of an output beyond its limits: keys of a parameter. */
export const parameterRules = {
  maxOn: duration('away from its safe value for longer than this, it is brought back to it by its worker'),
  minOn: duration('once away from its safe value, it is switched back no sooner than this'),
  minOff: duration('once at its safe value, it is switched on no sooner than this'),
  rearm: duration(
    'dead-man switch: it is switched on for this time only, and again at half of it while its worker lives; only for models with a timed write',
  ),
  slew: table(
    'How fast it may be changed; a write that goes too far is refused. Its safe value may always be written',
    {
      perSecond: {
        type: 'number',
        exclusiveMinimum: 0,
        description: 'so much a second, in its unit; above 0',
      },
      step: {
        type: 'number',
        exclusiveMinimum: 0,
        description: 'and so much at once, in its unit; default: what a second allows; above 0',
      },
    },
    ['perSecond'],
  ),
  count: table('What it has used up, kept over restarts; an admin resets it with the action resetCounters', {
    onTime: table('Its time on', {
      limit: duration('the most'),
      warnAt: duration('people are told from here on'),
    }),
    cycles: table('How often it was switched on', {
      limit: { type: 'integer', minimum: 1, description: 'the most, 1 or more' },
      warnAt: { type: 'integer', minimum: 1, description: 'people are told from here on, 1 or more' },
    }),
    volume: table(
      'What it has let through in its time on',
      {
        litresPerMinute: amount('litres a minute while it is on'),
        limit: amount('the most, in litres'),
        warnAt: amount('people are told from here on, in litres'),
      },
      ['litresPerMinute'],
    ),
    atLimit: {
      enum: ['tell', 'refuse'],
      description: 'what happens at a limit: tell (default), or refuse to switch it on',
    },
  }),
}

export interface RawRules {
  maxOn?: string
  minOn?: string
  minOff?: string
  rearm?: string
  slew?: { perSecond?: number; step?: number }
  count?: {
    onTime?: { limit?: string; warnAt?: string }
    cycles?: { limit?: number; warnAt?: number }
    volume?: { litresPerMinute?: number; limit?: number; warnAt?: number }
    atLimit?: 'tell' | 'refuse'
  }
}
