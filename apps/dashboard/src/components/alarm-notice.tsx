import { inOrder, isCalling } from '../alarms.ts'
import { said, site, t } from '../store.ts'

const HREF = '#Alarms'
/** So much of a message stands in the banner, in characters; the alarms have the rest. */
const LONGEST = 200

/** How many alarms call somebody; in the head of the page, whatever tab is open. */
export function AlarmCount() {
  const calling = (site.value?.alarms ?? []).filter(isCalling)
  if (calling.length === 0) return null
  const isBad = calling.some(({ severity }) => severity === 'critical')
  return (
    <a class={`chip ${isBad ? 'bad' : 'warn'}`} href={HREF} data-alarms={calling.length}>
      <span class="glyph" aria-hidden="true" />
      {t('alarmCount', { count: calling.length })}
    </a>
  )
}

/** The worst of what somebody has to come for now. */
export function AlarmBanner() {
  const critical = inOrder(site.value?.alarms ?? []).filter(
    (alarm) => isCalling(alarm) && alarm.severity === 'critical',
  )
  const [first] = critical
  if (!first) return null
  const message = said(first.message)
  return (
    <div class="banner bad" data-banner="alarm">
      <p>
        <strong>{message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message}</strong>{' '}
        {said(first.guidance ?? '')} {critical.length > 1 && t('alarmsMore', { count: critical.length - 1 })}
      </p>
      <a href={HREF}>{t('alarmsShow')}</a>
    </div>
  )
}
