import { render } from 'preact'
import { Api, validName } from './api.ts'
import { AutomationApi } from './automation-api.ts'
import { Commands } from './commands.ts'
import { App } from './components/app.tsx'
import { PageContext } from './components/page-context.ts'
import { Live } from './live.ts'
import { Poller } from './poll.ts'
import { RunCommands } from './run-commands.ts'
import { initLanguage, type Memory, pushed, site, tokenWanted } from './store.ts'

/** Storage may be forbidden (private windows, policies); the page then remembers nothing and works. */
function remember(storage: () => Storage, key: string, value: string | null): void {
  try {
    if (value === null) storage().removeItem(key)
    else storage().setItem(key, value)
  } catch (error) {
    reportError(error)
  }
}

function recall(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key)
  } catch {
    // remember() reports it; not being able to recall is then no news.
    return null
  }
}

const storages = { language: () => localStorage, name: () => localStorage, token: () => sessionStorage }
let token = recall(storages.token, 'golem.token')

const memory: Memory = {
  get: (key) => (key === 'token' ? token : recall(storages[key], `golem.${key}`)),
  set: (key, value) => {
    if (key === 'token') token = value
    remember(storages[key], `golem.${key}`, value)
  },
}

const api = new Api({
  base: document.baseURI,
  token: () => token,
  name: () => validName(memory.get('name')),
  onUnauthorized: () => {
    tokenWanted.value = token === null ? 'ask' : 'wrong'
  },
})
const live = new Live({
  base: document.baseURI,
  ticket: () => (token === null ? Promise.resolve(null) : api.ticket()),
  cursor: () => site.value?.cursor ?? null,
  onState: (state) => poller.take(state),
  onChange: (isLive) => {
    pushed.value = isLive
    poller.soon()
  },
})
const poller = new Poller(api, live)
const commands = new Commands(api, poller)
const automation = new AutomationApi(api)
const runs = new RunCommands(automation, poller)

initLanguage(memory, navigator.languages)
const root = document.getElementById('app')
if (!root) throw new Error('index.html has no element "app" to draw the page in')
render(
  <PageContext.Provider value={{ api, commands, automation, runs, poller, memory }}>
    <App />
  </PageContext.Provider>,
  root,
)
poller.start()
