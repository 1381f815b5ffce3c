import type { InstrumentDescription, ParameterDescription, Value } from '@golem/core'
import { useId, useState } from 'preact/hooks'
import { formatBare, parseInput } from '../format.ts'
import { language, t } from '../store.ts'
import { usePage } from './page-context.ts'
import { ValueField } from './value-field.tsx'

export interface ControlProps {
  instrument: InstrumentDescription
  name: string
  parameter: ParameterDescription
  /** The value read last; null: none. */
  value: Value | null
  /** Why it cannot be used now; null: it can. */
  blocked: string | null
  /** A command of this page for it has not ended. */
  isPending: boolean
}

/** The right control for a parameter's type. */
export function Control(props: ControlProps) {
  return props.parameter.type === 'boolean' ? <SwitchControl {...props} /> : <ValueControl {...props} />
}

/** Shows what was read, never what was asked: it moves when the instrument has moved. */
function SwitchControl({ instrument, name, parameter, value, blocked, isPending }: ControlProps) {
  const { commands } = usePage()
  const set = (wanted: boolean) => () => void commands.send(instrument, { parameter: name, value: wanted })
  // While a command is under way a press does nothing. It is not `disabled` then: that would take the focus away
  // from people who use the keyboard.
  const state = { disabled: blocked !== null, 'aria-disabled': isPending, 'data-part': 'set' }
  if (typeof value !== 'boolean') {
    return (
      <span class="pair" role="group" aria-label={parameter.label} title={blocked ?? undefined}>
        <button type="button" onClick={set(true)} {...state}>
          {t('turnOn')}
        </button>
        <button type="button" onClick={set(false)} {...state}>
          {t('turnOff')}
        </button>
      </span>
    )
  }
  return (
    <button
      type="button"
      role="switch"
      class="switch"
      aria-checked={value}
      aria-label={parameter.label}
      aria-busy={isPending}
      title={blocked ?? undefined}
      onClick={set(!value)}
      {...state}
    >
      <span class="track" aria-hidden="true">
        <span class="thumb" />
      </span>
    </button>
  )
}

/** Number, choice or text: what is written becomes a command with the button or Enter, never while moving. */
function ValueControl({ instrument, name, parameter, value, blocked, isPending }: ControlProps) {
  const { commands } = usePage()
  const [draft, setDraft] = useState<string | null>(null)
  const [wrong, setWrong] = useState('')
  const id = useId()
  const isDisabled = blocked !== null
  const isChoice = parameter.type === 'choice'
  const text = draft ?? (isChoice && typeof value === 'string' ? value : '')
  const change = (next: string): void => {
    setDraft(next)
    setWrong('')
  }
  const submit = (event: Event): void => {
    event.preventDefault()
    if (isDisabled || isPending) return
    const read = parseInput(text, parameter, language.value)
    if ('wrong' in read) {
      setWrong(read.wrong)
      return
    }
    setDraft(null)
    setWrong('')
    void commands.send(instrument, { parameter: name, value: read.value })
  }
  return (
    <form class="write" noValidate onSubmit={submit} title={blocked ?? undefined}>
      <Slider parameter={parameter} draft={draft} value={value} isDisabled={isDisabled} onDraft={change} />
      <ValueField
        id={id}
        allowed={parameter}
        text={text}
        onText={change}
        label={t('newValue', { name: parameter.label })}
        placeholder={value === null ? '' : formatBare(value, parameter, language.value)}
        isDisabled={isDisabled}
        isWrong={wrong !== ''}
        describedBy={wrong ? `${id}-wrong` : undefined}
      />
      <button
        type="submit"
        class={draft === null ? '' : 'primary'}
        data-part="set"
        disabled={isDisabled || isPending || draft === null}
        aria-label={t('setLabel', { name: parameter.label })}
      >
        {t('set')}
      </button>
      {wrong && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          {wrong}
        </p>
      )}
    </form>
  )
}

const MOST_OF_A_SLIDER = 1000

interface SliderProps {
  parameter: ParameterDescription
  draft: string | null
  value: Value | null
  isDisabled: boolean
  onDraft: (text: string) => void
}

/** Moves the draft only. There is none without both limits, nor over many powers of ten: it could not be placed. */
function Slider({ parameter, draft, value, isDisabled, onDraft }: SliderProps) {
  const { type, min, max, step } = parameter
  if ((type !== 'number' && type !== 'integer') || min === undefined || max === undefined) return null
  if (min > 0 && max / min > MOST_OF_A_SLIDER) return null
  const read = draft === null ? null : parseInput(draft, parameter, language.value)
  const drafted = read && 'value' in read ? read.value : null
  const position = typeof drafted === 'number' ? drafted : typeof value === 'number' ? value : min
  return (
    <input
      type="range"
      min={min}
      max={max}
      step={step ?? (type === 'integer' ? 1 : stepOf(max - min))}
      value={position}
      disabled={isDisabled}
      aria-label={t('sliderLabel', { name: parameter.label })}
      onInput={(event) => onDraft(event.currentTarget.value)}
    />
  )
}

/** A round step of about a hundredth of the range. */
function stepOf(range: number): number {
  return range > 0 ? 10 ** Math.floor(Math.log10(range / 50)) : 1
}
