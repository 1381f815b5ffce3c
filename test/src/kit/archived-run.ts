import { EMPTY_BATCH, type Series, openArchive, seriesFor, writeBatch } from '@golem/archive'

/** A run that an archive has: an hour of readings each second. */
export const ARCHIVED_RUN = 'r1'
export const RUN_BEGAN = Date.parse('2026-05-01T08:00:00.000Z')
export const RUN_ENDED = RUN_BEGAN + 3_600_000
/** What somebody might write to do harm where it is shown. */
export const HOSTILE = `<img src=x onerror="document.title='harmed'"></script>\u2028=1+1`

/** Writes an archive as an archiver would: two instruments, one of them of no run, commands, alarms, a gap, notes. */
export async function archiveRun(place: string): Promise<void> {
  const archive = await openArchive(place)
  const known = (series: Series): Series => ({ ...series, firstAt: RUN_BEGAN, lastAt: RUN_ENDED })
  const temperature = await seriesFor(archive, 'oven', 'temperature', {
    type: 'number',
    label: HOSTILE,
    unit: '°C',
  })
  const power = await seriesFor(archive, 'oven', 'power', { type: 'number', label: 'Power', unit: '%' })
  const door = await seriesFor(archive, 'oven', 'door', { type: 'choice', label: 'Door', unit: null })
  const other = await seriesFor(archive, 'other', 'level', { type: 'number', label: 'Level', unit: null })
  const at = (seconds: number): string => new Date(RUN_BEGAN + seconds * 1000).toISOString()
  const each = (
    series: Series,
    value: (n: number) => number,
  ): { series: number; t: number; value: number }[] =>
    Array.from({ length: 3600 }, (_, n) => ({
      series: series.id,
      t: RUN_BEGAN + n * 1000,
      value: value(n),
    })).filter(({ t }) => t < RUN_BEGAN + 1_200_000 || t > RUN_BEGAN + 1_500_000)
  const event = (seconds: number, kind: string, message: string, more = {}) => ({
    id: `${RUN_BEGAN + seconds * 1000}-0`,
    at: at(seconds),
    kind,
    message,
    ...more,
  })
  const run = ARCHIVED_RUN
  await writeBatch(archive, {
    ...EMPTY_BATCH,
    samples: [
      ...each(temperature, (n) => 20 + 40 * (1 - Math.exp(-n / 600)) + Math.sin(n / 40)),
      ...each(power, (n) => (n % 600 < 300 ? 80 : 20)),
      ...each(other, (n) => n),
      { series: door.id, t: RUN_BEGAN, value: 'closed' },
      { series: door.id, t: RUN_BEGAN + 60_000, value: HOSTILE },
    ],
    gaps: [
      {
        series: temperature.id,
        from: RUN_BEGAN + 1_200_000,
        until: RUN_BEGAN + 1_500_000,
        reason: 'link',
        message: HOSTILE,
      },
    ],
    series: [temperature, power, door, other].map(known),
    events: [
      event(1, 'run', 'run r1: Heating', { run, stage: 'Heat' }),
      event(1300, 'alarm', 'oven.temperature is lost', { instrument: 'oven' }),
      event(1800, 'run', 'run r1: Holding', { run, stage: HOSTILE }),
      event(1900, 'note', HOSTILE, { by: HOSTILE }),
      event(2000, 'condition', 'of another one', { instrument: 'other' }),
    ],
    commands: [1, 2].map((n) => ({
      id: `c${n}`,
      instrument: n === 1 ? 'oven' : 'other',
      parameter: 'power',
      value: 80,
      by: n === 1 ? `run ${run}` : HOSTILE,
      submittedAt: at(n),
      validUntil: at(30),
      state: 'ended' as const,
      outcome: 'done' as const,
      effect: 'done' as const,
      message: HOSTILE,
    })),
    runs: [
      {
        id: run,
        recipe: 'bake',
        label: HOSTILE,
        by: 'ann',
        note: HOSTILE,
        parameters: { power: 80 },
        state: 'ended',
        message: 'All its steps were done.',
        submittedAt: at(0),
        startedAt: at(0),
        endedAt: at(3600),
        end: 'completed',
        progress: {
          stage: null,
          stageNumber: 2,
          stages: 2,
          step: 5,
          steps: 5,
          doing: '',
          fraction: 1,
          endsAt: null,
        },
        seenAt: at(3600),
        interruptions: { count: 0, ms: 0 },
        rows: 2,
        scheduler: null,
      },
    ],
    rows: [1, 2].map((n) => ({
      run,
      row: {
        id: `${n}-0`,
        table: 'scan',
        at: at(n * 600),
        values: { 'oven.temperature': n },
        samples: 3,
        variables: { level: n },
      },
    })),
    documents: [
      {
        kind: 'description',
        name: 'oven',
        at: RUN_BEGAN - 1000,
        digest: 'a1',
        body: '{"model":"pid-7","parameters":{}}',
      },
      {
        kind: 'recipe',
        name: '../../bake',
        at: RUN_BEGAN - 1000,
        digest: 'b2',
        body: `recipe: bake # ${HOSTILE}`,
      },
    ],
  })
  await archive.close()
}
