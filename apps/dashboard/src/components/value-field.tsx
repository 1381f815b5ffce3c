import type { ValueDescription } from '@golem/core'
import { formatRange } from '../format.ts'
import { language, t } from '../store.ts'

export interface ValueFieldProps {
  id: string
  allowed: ValueDescription
  text: string
  onText: (text: string) => void
  /** Name for screen readers, when no visible label belongs to the field. */
  label?: string
  placeholder?: string
  isDisabled?: boolean
  isWrong?: boolean
  describedBy?: string | undefined
}

/** The field in which a value of any type is written: a list for choices and switches, otherwise a line. */
export function ValueField(props: ValueFieldProps) {
  const { id, allowed, text, onText, label, placeholder, isDisabled = false, isWrong = false } = props
  const common = {
    id,
    disabled: isDisabled,
    'aria-label': label,
    'aria-invalid': isWrong,
    'aria-describedby': props.describedBy,
  }
  if (allowed.type === 'choice' || allowed.type === 'boolean') {
    const choices = allowed.type === 'boolean' ? ['true', 'false'] : (allowed.choices ?? [])
    return (
      <select {...common} value={text} onChange={(event) => onText(event.currentTarget.value)}>
        {!choices.includes(text) && <option value={text}>—</option>}
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {allowed.type === 'boolean' ? t(choice === 'true' ? 'on' : 'off') : choice}
          </option>
        ))}
      </select>
    )
  }
  return (
    <input
      {...common}
      type="text"
      // Not type=number: that loses what was typed where a decimal comma meets another language setting.
      inputMode={allowed.type === 'text' ? 'text' : isNegativeAllowed(allowed) ? 'text' : 'decimal'}
      autocomplete="off"
      spellcheck={false}
      maxLength={allowed.type === 'text' ? (allowed.maxLength ?? 256) : 30}
      class={allowed.type === 'text' ? 'line' : 'line number'}
      value={text}
      placeholder={placeholder}
      title={formatRange(allowed, language.value)}
      onInput={(event) => onText(event.currentTarget.value)}
    />
  )
}

/** The keypad of `decimal` has no minus sign on some phones. */
function isNegativeAllowed({ min }: ValueDescription): boolean {
  return min === undefined || min < 0
}
