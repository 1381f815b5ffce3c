import { RUN_REQUESTS, type RunRecord, type RunRequest } from '@golem/core'
import { useState } from 'preact/hooks'
import { asked, REQUESTS } from '../run-commands.ts'
import { mustBeConfirmed, whyNotAsk } from '../runs.ts'
import { said, session, serverLost, site, t } from '../store.ts'
import { PendingMark } from './action-button.tsx'
import { Dialog } from './dialog.tsx'
import { usePage } from './page-context.ts'

const DANGEROUS: readonly RunRequest[] = ['abort', 'kill']
/** What is wanted often; the rest stands behind "More". */
const FIRST: readonly RunRequest[] = ['pause', 'resume', 'skip', 'stop', 'abort']
const REST: readonly RunRequest[] = ['ping', 'reset', 'kill']

/**
 * Why nothing can be asked of runs now, as a sentence. An emergency stop is no reason: a run must be able to end in
 * spite of it.
 */
function whyNothing(): string | null {
  if (serverLost.value) return t('blockedServerLost')
  if (session.value?.role === 'viewer') return t('blockedViewer')
  return site.value?.bus.ok === false ? t('blockedBusLost') : null
}

/** What can be asked of a run, with what it means. */
export function RunButtons({ run }: { run: RunRecord }) {
  if (session.value?.role === 'viewer') return null
  return (
    <div class="run-buttons" role="group" aria-label={t('runButtons', { name: run.label })}>
      <div class="buttons">
        {FIRST.filter((request) => isShown(run, request)).map((request) => (
          <AskButton key={request} run={run} request={request} />
        ))}
      </div>
      <details>
        <summary>{t('runMore')}</summary>
        <div class="buttons">
          {REST.map((request) => (
            <AskButton key={request} run={run} request={request} />
          ))}
        </div>
        <h4>{t('runMeanings')}</h4>
        <dl class="meanings">
          {RUN_REQUESTS.map((request) => (
            <div key={request}>
              <dt>{t(REQUESTS[request].label)}</dt>
              <dd>{t(REQUESTS[request].meaning)}</dd>
            </div>
          ))}
        </dl>
      </details>
    </div>
  )
}

/** Of pause and resume the one that makes sense; what is asked elsewhere on the card is not repeated. */
function isShown({ state, choices = [] }: RunRecord, request: RunRequest): boolean {
  if (state === 'asking' && (choices.includes(request) || request === 'skip')) return false
  if (request === 'pause') return state !== 'paused' && state !== 'asking'
  if (request === 'resume') return state === 'paused'
  return true
}

/** After an interruption: the choices, each with what it means. */
export function AskHow({ run }: { run: RunRecord }) {
  const { choices = ['resume', 'stop', 'abort'] } = run
  return (
    <div class="asks" role="group" aria-label={t('runHow')} data-part="asks">
      <h4>{t('runHow')}</h4>
      <p>{said(run.message)}</p>
      {choices.map((request) => (
        <div class="choice" key={request}>
          <AskButton run={run} request={request} />
          <span>{t(REQUESTS[request].meaning)}</span>
        </div>
      ))}
    </div>
  )
}

function AskButton({ run, request }: { run: RunRecord; request: RunRequest }) {
  const { runs } = usePage()
  const [isAsking, setAsking] = useState(false)
  const { label, meaning } = REQUESTS[request]
  const key = whyNotAsk(run, request)
  const blocked = whyNothing() ?? (key === null ? null : t(key))
  const isPending = asked.value.has(`${run.id} ${request}`)
  const ask = (): void => {
    setAsking(false)
    void runs.ask(run, request)
  }
  const asks = mustBeConfirmed(request)
  return (
    <>
      <button
        type="button"
        data-request={request}
        disabled={blocked !== null}
        aria-disabled={isPending}
        aria-busy={isPending}
        title={blocked ?? t(meaning)}
        onClick={() => {
          if (isPending) return
          if (asks) setAsking(true)
          else ask()
        }}
      >
        {t(label)}
        {isPending ? <PendingMark /> : asks && '…'}
      </button>
      {isAsking && (
        <Dialog
          title={t('runAskTitle', { request: t(label), name: run.label })}
          confirmLabel={t(label)}
          isDangerous={DANGEROUS.includes(request)}
          onClose={() => setAsking(false)}
          onConfirm={() => {
            // While the question stood, the run may have gone on.
            if (whyNotAsk(run, request) === null) ask()
          }}
        >
          <p>{t(meaning)}</p>
          <p class="quiet">{t('runDoes', { doing: said(run.progress.doing) })}</p>
          {key !== null && (
            <p class="wrong" role="alert">
              {t(key)}
            </p>
          )}
        </Dialog>
      )}
    </>
  )
}
