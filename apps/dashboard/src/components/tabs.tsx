import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Tab } from '../groups.ts'
import { t } from '../store.ts'

const TITLES = { alarms: 'tabAlarms', devices: 'tabDevices', log: 'tabLog' } as const

function titleOf(tab: Tab): string {
  if (tab.kind === 'group') return tab.group
  return t(TITLES[tab.kind])
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
