import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Api } from '../api.ts'
import type { AutomationApi } from '../automation-api.ts'
import type { Commands } from '../commands.ts'
import type { Poller } from '../poll.ts'
import type { RunCommands } from '../run-commands.ts'
import type { Memory } from '../store.ts'

/** What components use to reach the server and to remember things. */
export interface Page {
  api: Api
  commands: Commands
  automation: AutomationApi
  runs: RunCommands
  poller: Poller
  memory: Memory
}

export const PageContext = createContext<Page | null>(null)

/** @throws Error when a component stands outside of the page */
export function usePage(): Page {
  const page = useContext(PageContext)
  if (!page) throw new Error('this component has to stand inside PageContext')
  return page
}
