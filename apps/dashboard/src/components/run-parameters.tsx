import type { RecipeDescription, RunRecord, Value } from '@golem/core'
import { useState } from 'preact/hooks'
import { formatGiven, givenToText, type Parameters, parseAll } from '../recipe-values.ts'
import { descriptions, language, serverLost, session, t } from '../store.ts'
import { Dialog } from './dialog.tsx'
import { usePage } from './page-context.ts'
import { RecipeFields } from './recipe-fields.tsx'
import { useFirstWrong } from './use-first-wrong.ts'

interface RunParametersProps {
  run: RunRecord
  /** Absent: its recipe is not known any more; its parameters then have no labels and can't be changed. */
  recipe: RecipeDescription | undefined
}

/** With what a run was started, to be changed while it goes on. */
export function RunParameters({ run, recipe }: RunParametersProps) {
  const [isChanging, setChanging] = useState(false)
  const given = Object.entries(run.parameters)
  const bound = Object.entries(run.instruments ?? {})
  if (given.length + bound.length === 0) return null
  const canChange = recipe !== undefined && given.length > 0 && run.state !== 'ended'
  return (
    <div class="given" data-part="parameters">
      <dl class="facts">
        {bound.map(([role, instrument]) => (
          <div key={role}>
            <dt>{recipe?.roles[role]?.label ?? role}</dt>
            <dd>{descriptions.value?.find(({ id }) => id === instrument)?.label ?? instrument}</dd>
          </div>
        ))}
        {given.map(([name, value]) => (
          <div key={name} data-given={name}>
            <dt>{recipe?.parameters[name]?.label ?? name}</dt>
            <dd>{formatGiven(value, recipe?.parameters[name], language.value)}</dd>
          </div>
        ))}
      </dl>
      {canChange && session.value?.role !== 'viewer' && (
        <button
          type="button"
          data-role="change-parameters"
          disabled={serverLost.value}
          aria-label={t('runChangeLabel', { name: run.label })}
          onClick={() => setChanging(true)}
        >
          {t('runChange')}
        </button>
      )}
      {isChanging && recipe && (
        <ChangeDialog run={run} parameters={recipe.parameters} onClose={() => setChanging(false)} />
      )}
    </div>
  )
}

interface ChangeDialogProps {
  run: RunRecord
  parameters: Parameters
  onClose: () => void
}

function ChangeDialog({ run, parameters, onClose }: ChangeDialogProps) {
  const { runs } = usePage()
  // Only fields that are touched are sent: another person may change others meanwhile.
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({})
  const [wrongs, setWrongs] = useState<Readonly<Record<string, string>>>({})
  const [refusal, setRefusal] = useState('')
  useFirstWrong(wrongs)
  const [isBusy, setBusy] = useState(false)
  const known = Object.fromEntries(
    Object.entries(parameters).filter(([name]) => Object.hasOwn(run.parameters, name)),
  )
  const shown = Object.fromEntries(
    Object.entries(known).map(([name, each]) => [
      name,
      texts[name] ?? givenToText(run.parameters[name], each),
    ]),
  )
  const change = async (values: Readonly<Record<string, Value>>): Promise<void> => {
    setBusy(true)
    const why = await runs.change(run, values)
    setBusy(false)
    if (why === null) onClose()
    else setRefusal(why)
  }
  const confirm = (): void => {
    if (isBusy) return
    const touched = Object.fromEntries(Object.entries(known).filter(([name]) => texts[name] !== undefined))
    const { values, wrongs: faults } = parseAll(texts, touched, language.value)
    const changes = Object.entries(values).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(run.parameters[name]),
    )
    setWrongs(faults)
    setRefusal('')
    if (Object.keys(faults).length > 0) return
    if (changes.length === 0) setRefusal(t('runNothingChanged'))
    else void change(Object.fromEntries(changes))
  }
  return (
    <Dialog
      title={t('runChangeTitle', { name: run.label })}
      confirmLabel={t('runChangeConfirm')}
      onClose={onClose}
      onConfirm={confirm}
    >
      <p class="detail">{t('runChangeText')}</p>
      <RecipeFields
        parameters={known}
        texts={shown}
        wrongs={wrongs}
        onText={(name, text) => setTexts({ ...texts, [name]: text })}
      />
      {refusal && (
        <p class="wrong" role="alert" data-part="refusal">
          {refusal}
        </p>
      )}
    </Dialog>
  )
}
