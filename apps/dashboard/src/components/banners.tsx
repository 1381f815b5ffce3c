import type { StopRecord } from '@golem/core'
import { useState } from 'preact/hooks'
import { formatDuration, formatTime } from '../format.ts'
import { connection, descriptions, language, now, session, site, t, unconfirmedStops } from '../store.ts'
import { AlarmBanner } from './alarm-notice.tsx'
import { Dialog } from './dialog.tsx'
import { TrippedInterlocks } from './interlocks.tsx'
import { usePage } from './page-context.ts'

/** What everybody has to know at once. Announced when it appears. */
export function Banners() {
  const stop = site.value?.stop
  const labels = new Map((descriptions.value ?? []).map(({ id, label }) => [id, label]))
  return (
    <div class="banners" role="alert">
      {[...unconfirmedStops.value].map(
        ([instrument, attempt]) =>
          attempt > 1 && <StopUnconfirmed key={instrument} instrument={instrument} attempt={attempt} />,
      )}
      {connection.value.state === 'lost' && <ServerLost />}
      {connection.value.state === 'live' && site.value?.bus.ok === false && (
        <div class="banner warn" data-banner="bus-lost">
          <p>
            <strong>{t('busLostTitle', { since: timeOf(site.value.bus.since) })}</strong> {t('busLostText')}{' '}
            <span class="detail">{site.value.bus.message}</span>
          </p>
        </div>
      )}
      <AlarmBanner />
      {stop?.site && <Stopped instrument={null} label="" record={stop.site} />}
      {Object.entries(stop?.instruments ?? {}).map(([id, record]) => (
        <Stopped key={id} instrument={id} label={labels.get(id) ?? id} record={record} />
      ))}
      <TrippedInterlocks />
    </div>
  )
}

function timeOf(at: string): string {
  return formatTime(at, now.peek(), language.value)
}

function ServerLost() {
  const { lastGoodAt, message } = connection.value
  return (
    <div class="banner bad" data-banner="server-lost">
      <p>
        {lastGoodAt === null ? (
          <strong>{t('serverNever')}</strong>
        ) : (
          <>
            <strong>
              {t('serverLostTitle', {
                since: timeOf(new Date(lastGoodAt).toISOString()),
                age: formatDuration((now.value ?? lastGoodAt) - lastGoodAt, language.value),
              })}
            </strong>{' '}
            {t('serverLostText')}
          </>
        )}{' '}
        <span class="detail">{message}</span>
      </p>
    </div>
  )
}

function StopUnconfirmed({ instrument, attempt }: { instrument: string; attempt: number }) {
  const { commands } = usePage()
  return (
    <div class="banner stopped" data-banner="stop-unconfirmed">
      <p>
        <strong>{t('stopNotConfirmed', { attempt })}</strong>
      </p>
      <button type="button" onClick={() => commands.giveUpStop(instrument === '' ? null : instrument)}>
        {t('stopGiveUp')}
      </button>
    </div>
  )
}

function Stopped({
  instrument,
  label,
  record,
}: {
  instrument: string | null
  label: string
  record: StopRecord
}) {
  const { commands } = usePage()
  const [isAsking, setAsking] = useState(false)
  const mayRelease = session.value?.role === 'admin'
  const facts = { name: label, since: timeOf(record.since), by: record.by }
  return (
    <div
      class={instrument === null ? 'banner stopped' : 'banner stopped one'}
      data-banner={instrument === null ? 'stopped' : 'instrument-stopped'}
    >
      <p>
        <strong>{instrument === null ? t('stoppedSite', facts) : t('stoppedOne', facts)}</strong>{' '}
        {record.reason && <span class="detail">{t('stopReason', { reason: record.reason })}</span>}
      </p>
      <button
        type="button"
        data-role="release"
        data-instrument={instrument ?? undefined}
        disabled={!mayRelease}
        title={mayRelease ? undefined : t('releaseAdmin')}
        onClick={() => setAsking(true)}
      >
        {t('release')}
      </button>
      {isAsking && (
        <Dialog
          title={t('releaseTitle')}
          confirmLabel={t('releaseConfirm')}
          isDangerous
          onClose={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false)
            void commands.release(instrument)
          }}
        >
          <p>{instrument === null ? t('releaseSiteText') : t('releaseOneText', { name: label })}</p>
        </Dialog>
      )}
    </div>
  )
}
