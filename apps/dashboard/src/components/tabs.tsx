import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Tab } from '../groups.ts'
import type { MessageKey } from '../i18n.ts'
import { goingOn } from '../runs.ts'
import { site, t } from '../store.ts'

const TITLES: Readonly<Record<Exclude<Tab['kind'], 'group'>, MessageKey>> = {
  plots: 'tabPlots',
  runs: 'tabRuns',
  schedules: 'tabSchedules',
  alarms: 'tabAlarms',
  devices: 'tabDevices',
  log: 'tabLog',
}

function titleOf(tab: Tab): string {
  return tab.kind === 'group' ? tab.group : t(TITLES[tab.kind])
}

/** How many runs go on, and whether one wants to be told how. */
function RunsMark() {
  const runs = goingOn(site.value?.runs ?? [])
  if (runs.length === 0) return null
  const asks = runs.some(({ state }) => state === 'asking')
  const words = t(asks ? 'runsAsk' : 'runsWait', { count: runs.length })
  return (
    <span class={asks ? 'mark wants' : 'mark'} title={words}>
      <span aria-hidden="true">{asks ? `${runs.length} ?` : runs.length}</span>
      <span class="hidden"> ({words})</span>
    </span>
  )
}

/** Tabs after the ARIA pattern: one of them is in the tab order, the arrow keys move, Home and End jump. */
export function TabBar({ tabs, current }: { tabs: readonly Tab[]; current: string }) {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    list.current
      ?.querySelector('[aria-selected="true"]')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [current])
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(({ id }) => id === current)
    const to = destination(event.key, at, tabs.length)
    const tab = to === null ? undefined : tabs[to]
    if (!tab) return
    event.preventDefault()
    choose(tab)
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[to ?? 0]?.focus()
  }
  return (
    <div class="tabs" role="tablist" aria-label={t('tabsLabel')} ref={list} onKeyDown={onKeyDown}>
      {tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          id={`tab-${tab.id}`}
          data-tab={tab.id}
          aria-selected={tab.id === current}
          aria-controls="panel"
          tabIndex={tab.id === current ? 0 : -1}
          onClick={() => choose(tab)}
        >
          {titleOf(tab)}
          {tab.kind === 'runs' && <RunsMark />}
        </button>
      ))}
    </div>
  )
}

export function TabPanel({ tab, children }: { tab: Tab; children: ComponentChildren }) {
  return (
    <div id="panel" role="tabpanel" aria-labelledby={`tab-${tab.id}`} data-panel={tab.id} key={tab.id}>
      {children}
    </div>
  )
}

function choose(tab: Tab): void {
  location.hash = `#${encodeURIComponent(tab.id)}`
}

function destination(key: string, at: number, count: number): number | null {
  switch (key) {
    case 'ArrowRight':
      return (at + 1) % count
    case 'ArrowLeft':
      return (at + count - 1) % count
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return null
  }
}
