import type { ActionDescription, InstrumentDescription, Value } from '@golem/core'
import { useId, useState } from 'preact/hooks'
import { pendingKey } from '../commands.ts'
import { formatRange, parseInput } from '../format.ts'
import { readingOf } from '../model.ts'
import { language, pending, site, t } from '../store.ts'
import { Dialog } from './dialog.tsx'
import { usePage } from './page-context.ts'
import { ValueField } from './value-field.tsx'

interface ActionButtonProps {
  instrument: InstrumentDescription
  name: string
  action: ActionDescription
  blocked: string | null
}

/** Runs an action; asks first where it has arguments or wants to be confirmed. */
export function ActionButton({ instrument, name, action, blocked }: ActionButtonProps) {
  const { commands } = usePage()
  const [isAsking, setAsking] = useState(false)
  const isPending = pending.value.has(pendingKey(instrument.id, `${name}()`))
  const run = (values: Readonly<Record<string, Value>>): void => {
    setAsking(false)
    void commands.send(instrument, { action: name, arguments: values })
  }
  const asks = action.confirm === true || Object.keys(action.arguments).length > 0
  return (
    <>
      <button
        type="button"
        class="action"
        data-instrument={instrument.id}
        data-action={name}
        disabled={blocked !== null}
        aria-disabled={isPending}
        aria-busy={isPending}
        title={blocked ?? action.note}
        onClick={() => (asks ? setAsking(!isPending) : run({}))}
      >
        {action.label}
        {isPending ? <PendingMark /> : asks && '…'}
      </button>
      {isAsking && (
        <ActionDialog instrument={instrument} action={action} onClose={() => setAsking(false)} onRun={run} />
      )}
    </>
  )
}

/** Moves while an outcome is awaited. */
export function PendingMark() {
  return (
    <span class="pending" role="img" aria-label={t('pending')} title={t('pending')}>
      …
    </span>
  )
}

interface ActionDialogProps {
  instrument: InstrumentDescription
  action: ActionDescription
  onClose: () => void
  onRun: (values: Readonly<Record<string, Value>>) => void
}

/** What a field begins with: the usual value, or what the parameter of that name is now. */
function beginning(instrument: InstrumentDescription, name: string, given: Value | undefined): string {
  const value = given ?? readingOf(site.peek()?.instruments.get(instrument.id), name)?.value
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}

function ActionDialog({ instrument, action, onClose, onRun }: ActionDialogProps) {
  const id = useId()
  const fields = Object.entries(action.arguments)
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(fields.map(([key, { default: given }]) => [key, beginning(instrument, key, given)])),
  )
  const [wrongs, setWrongs] = useState<Readonly<Record<string, string>>>({})
  const confirm = (): void => {
    const read = fields.map(
      ([key, allowed]) => [key, parseInput(texts[key] ?? '', allowed, language.value)] as const,
    )
    const faults = read.flatMap(([key, result]) => ('wrong' in result ? [[key, result.wrong]] : []))
    if (faults.length > 0) {
      setWrongs(Object.fromEntries(faults))
      return
    }
    onRun(
      Object.fromEntries(read.flatMap(([key, result]) => ('value' in result ? [[key, result.value]] : []))),
    )
  }
  return (
    <Dialog
      title={t('confirmTitle', { action: action.label, name: instrument.label })}
      confirmLabel={t('run')}
      onClose={onClose}
      onConfirm={confirm}
    >
      {action.note && <p>{action.note}</p>}
      {action.confirm && <p>{t('confirmText')}</p>}
      {fields.map(([key, allowed]) => (
        <div class="field" key={key} data-argument={key}>
          <label for={`${id}-${key}`}>
            {allowed.label}
            {allowed.unit && <span class="quiet"> ({allowed.unit})</span>}
          </label>
          <ValueField
            id={`${id}-${key}`}
            allowed={allowed}
            text={texts[key] ?? ''}
            onText={(text) => setTexts({ ...texts, [key]: text })}
            isWrong={Boolean(wrongs[key])}
            describedBy={`${id}-${key}-${wrongs[key] ? 'wrong' : 'range'}`}
          />
          {!wrongs[key] && (
            <p class="detail" id={`${id}-${key}-range`}>
              {formatRange(allowed, language.value)}
            </p>
          )}
          {wrongs[key] && (
            <p class="wrong" id={`${id}-${key}-wrong`} role="alert">
              {wrongs[key]}
            </p>
          )}
        </div>
      ))}
    </Dialog>
  )
}
