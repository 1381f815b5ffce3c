import type { ActionDescription, ArgumentDescription, InstrumentDescription, Value } from '@golem/core'
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
        <ArgumentField
          key={key}
          name={key}
          allowed={allowed}
          text={texts[key] ?? ''}
          wrong={wrongs[key] ?? ''}
          onText={(text) => setTexts({ ...texts, [key]: text })}
        />
      ))}
    </Dialog>
  )
}

interface ArgumentFieldProps {
  name: string
  allowed: ArgumentDescription
  text: string
  /** Why it can't be sent so; empty: it can. */
  wrong: string
  onText: (text: string) => void
}

/** One argument of an action, with what is allowed or why it is not. */
function ArgumentField({ name, allowed, text, wrong, onText }: ArgumentFieldProps) {
  const id = useId()
  const hint = wrong || formatRange(allowed, language.value)
  return (
    <div class="field" data-argument={name}>
      <label for={id}>
        {allowed.label}
        {allowed.unit && <span class="quiet"> ({allowed.unit})</span>}
      </label>
      <ValueField
        id={id}
        allowed={allowed}
        text={text}
        onText={onText}
        isWrong={wrong !== ''}
        describedBy={hint === '' ? undefined : `${id}-hint`}
      />
      {hint !== '' && (
        <p
          class={wrong === '' ? 'detail' : 'wrong'}
          id={`${id}-hint`}
          role={wrong === '' ? undefined : 'alert'}
        >
          {hint}
        </p>
      )}
    </div>
  )
}
