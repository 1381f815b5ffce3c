import { duration, table } from './schema-parts.ts'

/** What a site may demand of an output beyond its limits: keys of a parameter. */
export const parameterRules = {
  maxOn: duration('away from its safe value for longer than this, it is brought back to it by its worker'),
  minOn: duration('once away from its safe value, it is switched back no sooner than this'),
  minOff: duration('once at its safe value, it is switched on no sooner than this'),
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
}

export interface RawRules {
  maxOn?: string
  minOn?: string
  minOff?: string
  slew?: { perSecond?: number; step?: number }
}
