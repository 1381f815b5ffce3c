import { useEffect, useState } from 'preact/hooks'
import { type Tab, tabOf, tabsOf } from '../groups.ts'
import {
  allBlockedReason,
  connection,
  descriptions,
  language,
  session,
  site,
  t,
  tokenWanted,
} from '../store.ts'
import { isCalling } from '../alarms.ts'
import { AlarmsPanel } from './alarms-panel.tsx'
import { Banners } from './banners.tsx'
import { DevicesPanel } from './devices-panel.tsx'
import { Footer } from './footer.tsx'
import { GroupPanel } from './group-panel.tsx'
import { Header } from './header.tsx'
import { LogPanel } from './log-panel.tsx'
import { PlotsPanel } from './plots-panel.tsx'
import { RunsPanel } from './runs-panel.tsx'
import { SchedulesPanel } from './schedules-panel.tsx'
import { TabBar, TabPanel } from './tabs.tsx'
import { Toasts } from './toasts.tsx'
import { TokenForm } from './token-form.tsx'

/*
 * Hooks for tests and scripts; they stay when looks and languages change.
 *
 *   [data-connection="starting|live|lost"]           on the connection state in the header, with
 *   [data-via="push|poll"]                           how the state comes
 *   [data-tab="Relays"]                              a tab (role=tab); its panel has data-panel="Relays"
 *   [data-instrument="id"][data-condition="ok|…"]    an instrument: a section of a group, or its card under Devices
 *   [data-instrument="id"][data-parameter="name"]    a parameter: a card of a group, or a row under Devices, with
 *       data-quality="good|stale|bad|none", data-value (the value read, raw; absent: none), data-pending (a command
 *       for it waits or runs) and inside [data-part="value|age|error|set|running"]
 *   [data-instrument="id"][data-action="name"]       the button of an action
 *   [data-section="heading"]                         what an instrument has under one heading, e.g. a channel
 *   [data-part="answer"][data-of="id.name()"]        what this page's action was answered, with [data-part="result|plot"]
 *   [data-part="queue"], [data-part="blocked"]       what waits and runs at an instrument; why it takes no commands
 *   [data-role="stop"], [data-role="release"]        emergency stop and release, in header and banner: of everything;
 *       with data-instrument="id": of one instrument
 *   [data-part="reservation"] with data-holder (absent: nobody), data-mine      who has an instrument, with its buttons:
 *       [data-role="reserve|book|change-reservation|give-back|wait|leave-line|end-reservation|cancel-booking"]
 *   [data-role="confirm"], [data-role="cancel"]      buttons of a dialog
 *   [data-alarms="2"]                                how many alarms call somebody, in the header (absent: none)
 *   [data-alarm="id"] with data-severity, data-condition="active|returned", data-acknowledged (absent: nobody has), and
 *       inside [data-role="acknowledge"]             an alarm; its dialog has [data-field="note"]
 *   [data-notifier="name"] with data-failing and inside [data-role="test-notifier"]      who is told of alarms
 *   [data-banner="alarm|server-lost|bus-lost|stopped|instrument-stopped|stop-unconfirmed"]
 *   [data-outcome="done|refused|failed|unknown|sending|news"] with data-effect      a toast
 *   [data-command="id"] with data-result (outcome, or queued|running)      a command in the log
 *   [data-part="timeline"], and inside [data-event="id"] with data-kind, data-group: an entry, with [data-role="to-run|to-plot"];
 *       [data-filter="commands|safety|…|text|instrument|run|level|to"], [data-role="no-filter|older|add-note"]; the dialog of a
 *       note has [data-field="text|from|to|instrument"]
 *   [data-role="token"]                              the form that asks for the access token
 *   [data-run="id"] with data-state, or data-end       a run that goes on, or has ended; inside [data-request="pause|…"],
 *       [data-part="run-state|progress|stage|step|ends|doing|message|asks|interruptions|parameters|rows|plot"],
 *       [data-given="name"], [data-role="change-parameters|show-rows|save-rows"], [data-row="id"]
 *   [data-recipe="id"]                               a recipe, with [data-role="start"], [data-part="next|faults"]
 *   [data-field="name"], [data-role-of="role"], [data-part="refusal"]      in the dialogs of a recipe
 *   [data-part="calibration"] with data-version and inside [data-role="calibrate"]      by which calibration a parameter is made; its
 *       dialog has [data-step="plan|measure|fit"], [data-field="NAME-from|NAME-to|NAME-step|settle|reading|kind|note"],
 *       [data-part="draft|point|fit"] (data-phase, data-r-squared), [data-point="inputs"], [data-role="discard|skip-point|to-fit"]
 *   [data-schedule="id"][data-enabled="true|false"]   a schedule, with [data-role="enable"], [data-part="next|message"], and rows
 *       [data-start="planned at"][data-kind="done|early|failed|runs|skipped"]; [data-span="hours"]: how far one looks
 *   [data-part="plot"] with data-from, data-to (ms), data-lines, data-gaps, data-marks, data-bands, data-loading, and inside
 *       [data-series="id.name"] with data-found="value|text|gap|none", data-points, [data-part="found|completeness"]; the plots'
 *       tab has [data-choice="id.name"], [data-plot-span="ms"], [data-role="plot-back|zoom-out|follow|toggle-marks|
 *       compare-runs|save-png|run-a|run-b"]; [data-role="plot"] links a reading to its plot
 *   [data-language="en|ru"]                          the buttons in the footer
 */

export function App() {
  const tabs = tabsOf(descriptions.value ?? [])
  const hash = useHash()
  const current = tabOf(tabs, hash)
  useDocumentHead()
  return (
    <>
      <a class="skip" href="#content" onClick={focusContent}>
        {t('skip')}
      </a>
      <Header />
      <Banners />
      {tokenWanted.value !== null ? (
        <main id="content" tabIndex={-1}>
          <TokenForm />
        </main>
      ) : (
        <>
          <TabBar tabs={tabs} current={current?.id ?? ''} />
          <main id="content" tabIndex={-1} class={connection.value.state === 'lost' ? 'old' : ''}>
            {current && (
              <TabPanel tab={current}>
                {current.kind !== 'log' &&
                  current.kind !== 'alarms' &&
                  current.kind !== 'plots' &&
                  descriptions.value !== null &&
                  allBlockedReason() !== null && (
                    <p class="blocked" data-part="blocked">
                      {allBlockedReason()}
                    </p>
                  )}
                <Panel tab={current} />
              </TabPanel>
            )}
          </main>
        </>
      )}
      <Footer />
      <Toasts />
    </>
  )
}

function Panel({ tab }: { tab: Tab }) {
  if (tab.kind === 'log') return <LogPanel />
  if (tab.kind === 'alarms') return <AlarmsPanel />
  if (descriptions.value === null) return <p class="empty">{t('loading')}</p>
  switch (tab.kind) {
    case 'group':
      return <GroupPanel group={tab.group} />
    case 'plots':
      return <PlotsPanel />
    case 'runs':
      return <RunsPanel />
    case 'schedules':
      return <SchedulesPanel />
    case 'devices':
      return <DevicesPanel />
  }
}

function useHash(): string {
  const [hash, setHash] = useState(readHash)
  useEffect(() => {
    const changed = (): void => setHash(readHash())
    globalThis.addEventListener('hashchange', changed)
    return () => globalThis.removeEventListener('hashchange', changed)
  }, [])
  return hash
}

/** What stands behind a `?` is the tab's own. */
function readHash(): string {
  const text = location.hash.slice(1).split('?')[0] ?? ''
  try {
    return decodeURIComponent(text)
  } catch {
    // Somebody typed a % of their own: it names no tab, and the first one is shown.
    return text
  }
}

/** The tab stands in the hash, so the link must not change it. */
function focusContent(event: Event): void {
  event.preventDefault()
  document.getElementById('content')?.focus()
}

function useDocumentHead(): void {
  const title = session.value?.title ?? 'golem'
  const isStopped = Boolean(site.value?.stop.site)
  const alarms = (site.value?.alarms ?? []).filter(isCalling).length
  const lang = language.value
  useEffect(() => {
    document.documentElement.lang = lang
    const count = alarms > 0 ? `(${alarms}) ` : ''
    document.title = `${count}${isStopped ? `■ ${t('stopAll')} – ${title}` : title}`
  }, [lang, title, isStopped, alarms])
}
