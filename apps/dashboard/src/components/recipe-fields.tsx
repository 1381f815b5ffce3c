import type { RecipeParameterDescription } from '@golem/core'
import { useId } from 'preact/hooks'
import { type DurationUnit, durationUnits, splitDuration } from '../durations.ts'
import { givenRange, type Parameters, plain } from '../recipe-values.ts'
import { language, t } from '../store.ts'
import { ValueField } from './value-field.tsx'

interface RecipeFieldsProps {
  parameters: Parameters
  texts: Readonly<Record<string, string>>
  /** Why fields can't be taken so, by name. */
  wrongs: Readonly<Record<string, string>>
  onText: (name: string, text: string) => void
}

/** The fields in which the parameters of a recipe are written. */
export function RecipeFields({ parameters, texts, wrongs, onText }: RecipeFieldsProps) {
  return (
    <>
      {Object.entries(parameters).map(([name, parameter]) => (
        <Field
          key={name}
          name={name}
          parameter={parameter}
          text={texts[name] ?? ''}
          wrong={wrongs[name] ?? ''}
          onText={(text) => onText(name, text)}
        />
      ))}
    </>
  )
}

interface FieldProps {
  name: string
  parameter: RecipeParameterDescription
  text: string
  wrong: string
  onText: (text: string) => void
}

function Field({ name, parameter, text, wrong, onText }: FieldProps) {
  const id = useId()
  const hint = [parameter.note ?? '', givenRange(parameter, language.value)].filter(Boolean).join(' ')
  const described = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ') || undefined
  const isDuration = parameter.type === 'duration'
  return (
    <div class="field" data-field={name}>
      <label for={id}>
        {parameter.label}
        {parameter.unit && !isDuration && <span class="quiet"> ({parameter.unit})</span>}
      </label>
      {isDuration ? (
        <DurationField
          id={id}
          label={parameter.label}
          text={text}
          isWrong={wrong !== ''}
          describedBy={described}
          onText={onText}
        />
      ) : (
        <ValueField
          id={id}
          allowed={plain(parameter)}
          text={text}
          onText={onText}
          isWrong={wrong !== ''}
          describedBy={described}
        />
      )}
      {hint !== '' && (
        <p class="detail" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {wrong !== '' && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          {wrong}
        </p>
      )}
    </div>
  )
}

interface DurationFieldProps {
  id: string
  label: string
  /** A number and its unit. */
  text: string
  isWrong: boolean
  describedBy: string | undefined
  onText: (text: string) => void
}

/** A number, and its unit beside it. */
function DurationField({ id, label, text, isWrong, describedBy, onText }: DurationFieldProps) {
  const { amount, unit } = splitDuration(text)
  return (
    <span class="duration">
      <input
        id={id}
        type="text"
        class="line number"
        inputMode="decimal"
        autocomplete="off"
        maxLength={20}
        value={amount}
        aria-invalid={isWrong}
        aria-describedby={describedBy}
        // A space parts number and unit; nobody writes one into a number.
        onInput={(event) => onText(`${event.currentTarget.value.replaceAll(/\s/g, '')} ${unit}`)}
      />
      <select
        aria-label={t('runUnit', { name: label })}
        value={unit}
        onChange={(event) => onText(`${amount} ${event.currentTarget.value as DurationUnit}`)}
      >
        {durationUnits(language.value).map((each) => (
          <option key={each.unit} value={each.unit}>
            {each.name}
          </option>
        ))}
      </select>
    </span>
  )
}
