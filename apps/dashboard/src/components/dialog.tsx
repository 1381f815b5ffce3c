import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { t } from '../store.ts'
import { StopButton } from './stop-button.tsx'

export interface DialogProps {
  title: string
  confirmLabel: string
  isDangerous?: boolean
  onConfirm: () => void
  onClose: () => void
  children: ComponentChildren
}

/** A question that has to be answered; Escape and Cancel mean no. The browser keeps and returns the focus. */
export function Dialog({ title, confirmLabel, isDangerous, onConfirm, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    ref.current?.showModal()
  }, [])
  return (
    <dialog ref={ref} aria-labelledby={titleId} onClose={onClose}>
      <form
        method="dialog"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          onConfirm()
        }}
      >
        <h2 id={titleId}>{title}</h2>
        {children}
        <div class="buttons">
          <button type="button" data-role="cancel" onClick={() => ref.current?.close()}>
            {t('cancel')}
          </button>
          <button type="submit" class={isDangerous ? 'danger' : 'primary'} data-role="confirm">
            {confirmLabel}
          </button>
          {/* What is behind a dialog can't be reached while it is open: the stop has to be. Last, so that it never has the focus by itself. */}
          <StopButton instrument={null} />
        </div>
      </form>
    </dialog>
  )
}
