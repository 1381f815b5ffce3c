import type { CommandRecord, TimelineEntry as Entry } from '@golem/core'
import { formatTarget, formatTime } from '../format.ts'
import type { MessageKey } from '../i18n.ts'
import { descriptions, language, now, said, t } from '../store.ts'
import { formatFilter, groupOf, type KindGroup, NO_FILTER, plotAround } from '../timeline-filter.ts'
import { EntryDetails, LevelChip, LoggerName } from './log-entry.tsx'
import { effectSentence, OutcomeChip } from './outcome-chip.tsx'

/** What a kind is called where it is no word of its group. */
const KINDS: Readonly<Record<string, MessageKey>> = {
  command: 'kindCommand',
  refusal: 'kindRefusal',
  cancel: 'kindCancel',
  settled: 'kindSettled',
  stop: 'kindStop',
  release: 'kindRelease',
  interlock: 'kindInterlock',
  safe: 'kindSafe',
  power: 'kindPower',
  alarm: 'kindAlarm',
  notify: 'kindNotify',
  run: 'kindRun',
  schedule: 'kindSchedule',
  reservation: 'kindReservation',
  condition: 'kindCondition',
  owner: 'kindOwner',
  worker: 'kindWorker',
  reboot: 'kindReboot',
  gateway: 'kindGateway',
  calibration: 'kindCalibration',
  configuration: 'kindConfiguration',
  note: 'kindNote',
  log: 'kindLog',
}

/** One sign for each group; the word stands beside it. */
const SIGNS: Readonly<Record<KindGroup, string>> = {
  commands: '→',
  safety: '■',
  alarms: '!',
  runs: '▸',
  reservations: '◆',
  site: '•',
  notes: '✎',
  programs: '≡',
}

/** One thing that happened: when, of what kind, what, by whom, and why. */
export function TimelineEntry({ entry, series }: { entry: Entry; series: readonly string[] }) {
  const { kind, instrument, by, run, stage, commands = [], data } = entry
  const group = groupOf(kind)
  const plot = plotAround(entry, series)
  const to = kind === 'note' && typeof data?.['to'] === 'string' ? data['to'] : undefined
  const key = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
  const isByRun = run !== undefined && by === `run ${run}`
  return (
    <li class="happened" data-event={entry.id} data-kind={kind} data-group={group ?? 'other'}>
      <span class="time">
        {timeOfDay(entry.when)}
        {to !== undefined && ` – ${formatTime(to, Date.parse(entry.when), language.value)}`}
      </span>
      <span class="kind">
        <span class="sign" aria-hidden="true">
          {group === null ? '•' : SIGNS[group]}
        </span>
        {key === undefined ? kind : t(key)}
      </span>
      <div class="what">
        <LevelChip event={entry} /> {instrument !== undefined && <Instrument id={instrument} />}{' '}
        <LoggerName event={entry} /> <Said entry={entry} />{' '}
        {by !== undefined && !isByRun && <span class="quiet">({by})</span>}
        {run !== undefined && <RunCause run={run} stage={stage} isSaid={entry.message.includes(run)} />}
        {plot !== null && (
          <a class="to-plot" href={plot} data-role="to-plot">
            {t('timelineToPlot')}
          </a>
        )}
        {kind !== 'command' &&
          commands.length === 1 &&
          commands.map((record) => <Command key={record.id} record={record} />)}
        {commands.length > 1 && <Commands records={commands} />}
        <EntryDetails event={entry} />
      </div>
    </li>
  )
}

/** What happened: of a command what was asked and how it ended, with this site's labels. */
function Said({ entry: { kind, message, commands = [] } }: { entry: Entry }) {
  const [record] = commands
  if (kind !== 'command' || commands.length !== 1 || record === undefined) {
    return <span class="said">{said(message)}</span>
  }
  const instrument = descriptions.value?.find(({ id }) => id === record.instrument)
  return (
    <>
      <span class="said">{formatTarget(record, instrument, language.value)}</span>{' '}
      <OutcomeChip record={record} />
      {record.message !== undefined && <span class="said"> {said(record.message, record.code)}</span>}{' '}
      {record.outcome !== undefined &&
        record.outcome !== 'done' &&
        effectSentence(record.settled?.effect ?? record.effect ?? 'unknown')}
      {record.settled && ` ${t('settledBy', { message: said(record.settled.message) })}`}
    </>
  )
}

function Instrument({ id }: { id: string }) {
  const label = descriptions.value?.find((one) => one.id === id)?.label ?? id
  return <span class="quiet">{label}:</span>
}

/** Which run brought it about, and at which stage; it leads to all that this run has done. */
function RunCause({ run, stage, isSaid }: { run: string; stage: string | undefined; isSaid: boolean }) {
  const [, number = '', name = ''] = /^(\d+): (.*)$/s.exec(stage ?? '') ?? []
  const words = isSaid
    ? t('timelineToRun')
    : number === ''
      ? t('timelineByRun', { run })
      : t('timelineByStage', { run, number, name })
  return (
    <a class="cause" href={formatFilter({ ...NO_FILTER, run })} data-role="to-run">
      {words}
    </a>
  )
}

function Commands({ records }: { records: readonly CommandRecord[] }) {
  return (
    <details>
      <summary>{t('timelineCommands', { count: records.length })}</summary>
      {records.map((record) => (
        <Command key={record.id} record={record} />
      ))}
    </details>
  )
}

function Command({ record }: { record: CommandRecord }) {
  const instrument = descriptions.value?.find(({ id }) => id === record.instrument)
  return (
    <p class="detail" data-record={record.id}>
      <OutcomeChip record={record} /> {formatTarget(record, instrument, language.value)}{' '}
      <span class="quiet">
        ({record.by}, {formatTime(record.submittedAt, now.value, language.value)})
      </span>{' '}
      {record.outcome !== undefined &&
        record.outcome !== 'done' &&
        effectSentence(record.settled?.effect ?? record.effect ?? 'unknown')}{' '}
      {record.settled && t('settledBy', { message: said(record.settled.message) })}
    </p>
  )
}

function timeOfDay(at: string): string {
  return new Intl.DateTimeFormat(language.value, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(Date.parse(at))
}
