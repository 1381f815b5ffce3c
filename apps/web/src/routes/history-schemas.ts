/** JSON Schemas of the archive's routes. */

const time = (what: string) =>
  ({
    type: 'string',
    minLength: 1,
    maxLength: 40,
    description: `${what}: ISO 8601 UTC, e.g. 2026-05-01T08:30:00Z, or counted from now, e.g. -6h (ms, s, min, h, d, w), or now`,
  }) as const

export const historyQuery = {
  type: 'object',
  additionalProperties: false,
  required: ['series'],
  properties: {
    series: {
      type: ['string', 'array'],
      items: { type: 'string' },
      description: 'INSTRUMENT.PARAMETER, once or several times, or several with commas between',
    },
    from: { ...time('Begin'), default: '-1h' },
    to: { ...time('End'), default: 'now' },
    points: {
      type: 'integer',
      minimum: 4,
      maximum: 20_000,
      default: 1000,
      description: 'At most so many for each series',
    },
  },
} as const

export const seriesQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    from: {
      ...time('Completeness is counted from here on (default: the first reading)'),
    },
    to: { ...time('Up to here'), default: 'now' },
  },
} as const

const isoTime = { type: 'string', format: 'date-time' } as const
const numbers = { type: 'array', items: { type: 'number' } } as const

const gap = {
  type: 'object',
  properties: {
    from: isoTime,
    to: { type: ['string', 'null'], description: 'null: it lasts' },
    reason: {
      type: 'string',
      enum: ['link', 'bad', 'stale', 'worker', 'stopped', 'redis', 'behind', 'hidden'],
    },
    message: { type: 'string' },
  },
} as const

const completeness = {
  type: ['number', 'null'],
  description: 'Share of the time without gap, 0 to 1; null: nothing of it is archived',
} as const

export const historyAnswer = {
  type: 'object',
  properties: {
    from: isoTime,
    to: isoTime,
    at: isoTime,
    series: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          series: { type: 'string' },
          label: { type: 'string' },
          unit: { type: 'string' },
          type: { type: 'string', enum: ['number', 'integer', 'boolean', 'choice', 'text', 'array'] },
          level: {
            type: 'string',
            enum: ['raw', 'minute', 'hour'],
            description: 'What the points were made of',
          },
          bucketMs: { type: 'integer', description: 'How long one point lasts; 0: single readings' },
          times: { ...numbers, description: 'Begin of each point, ms since 1970' },
          min: numbers,
          max: numbers,
          mean: numbers,
          texts: { type: 'array', items: { type: 'string' }, description: 'Of choices and texts' },
          count: { ...numbers, description: 'Readings behind each point' },
          until: { type: ['number', 'null'], description: 'The last value held at least until here' },
          gaps: { type: 'array', items: gap },
          completeness,
        },
      },
    },
  },
} as const

export const seriesAnswer = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      series: { type: 'string' },
      instrument: { type: 'string' },
      parameter: { type: 'string' },
      type: { type: 'string' },
      label: { type: 'string' },
      unit: { type: 'string' },
      firstAt: { type: ['string', 'null'] },
      lastAt: { type: ['string', 'null'] },
      completeness,
    },
  },
} as const
