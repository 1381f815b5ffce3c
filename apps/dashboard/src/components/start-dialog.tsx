import type { RecipeDescription } from '@golem/core'
import { useId, useRef, useState } from 'preact/hooks'
import { randomKey } from '../api.ts'
import type { RunBody } from '../automation-api.ts'
import { givenToText, parseAll } from '../recipe-values.ts'
import { descriptions, language, t } from '../store.ts'
import { Dialog } from './dialog.tsx'
import { usePage } from './page-context.ts'
import { RecipeFields } from './recipe-fields.tsx'
import { useFirstWrong } from './use-first-wrong.ts'

interface StartDialogProps {
  recipe: RecipeDescription
  onClose: () => void
}

/** Asks with which parameters and instruments a recipe is to be started. It stays until the run was accepted. */
export function StartDialog({ recipe, onClose }: StartDialogProps) {
  const { runs } = usePage()
  const { parameters, roles } = recipe
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>(() =>
    Object.fromEntries(
      Object.entries(parameters).map(([name, each]) => [name, givenToText(each.default, each)]),
    ),
  )
  const [bound, setBound] = useState<Readonly<Record<string, string>>>({})
  const [note, setNote] = useState('')
  const [wrongs, setWrongs] = useState<Readonly<Record<string, string>>>({})
  const [refusal, setRefusal] = useState('')
  useFirstWrong(wrongs)
  const [isBusy, setBusy] = useState(false)
  // The same wish sent again must not start a second run; a different one must.
  const wish = useRef({ body: '', key: '' })

  const start = async (body: RunBody): Promise<void> => {
    const text = JSON.stringify(body)
    if (wish.current.body !== text) wish.current = { body: text, key: randomKey() }
    setBusy(true)
    const why = await runs.start(body, wish.current.key)
    setBusy(false)
    if (why === null) onClose()
    else setRefusal(why)
  }
  const confirm = (): void => {
    if (isBusy) return
    const read = parseAll(texts, parameters, language.value)
    const unbound = Object.entries(roles).filter(
      ([role, { default: usual }]) => usual === null && !bound[role],
    )
    const faults = {
      ...read.wrongs,
      ...Object.fromEntries(unbound.map(([role]) => [`role ${role}`, t('runRoleWrong')])),
    }
    setWrongs(faults)
    setRefusal('')
    if (Object.keys(faults).length > 0) return
    const others = Object.entries(bound).filter(([role, id]) => id !== '' && id !== roles[role]?.default)
    void start({
      recipe: recipe.id,
      parameters: read.values,
      ...(others.length > 0 ? { instruments: Object.fromEntries(others) } : {}),
      ...(note.trim() === '' ? {} : { note: note.trim() }),
    })
  }
  const noteId = useId()
  return (
    <Dialog
      title={t('runStartTitle', { name: recipe.label })}
      confirmLabel={t(isBusy ? 'runStartBusy' : 'runStartConfirm')}
      onClose={onClose}
      onConfirm={confirm}
    >
      {recipe.note && <p>{recipe.note}</p>}
      {Object.entries(roles).map(([role, { label, default: usual }]) => (
        <RoleField
          key={role}
          role={role}
          label={label}
          chosen={bound[role] ?? usual ?? ''}
          wrong={wrongs[`role ${role}`] ?? ''}
          onChoose={(id) => setBound({ ...bound, [role]: id })}
        />
      ))}
      <RecipeFields
        parameters={parameters}
        texts={texts}
        wrongs={wrongs}
        onText={(name, text) => setTexts({ ...texts, [name]: text })}
      />
      <div class="field">
        <label for={noteId}>{t('runNote')}</label>
        <input
          id={noteId}
          type="text"
          class="line"
          maxLength={200}
          data-field="note"
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </div>
      <p class="detail">{reserved(recipe, bound)}</p>
      {refusal && (
        <p class="wrong" role="alert" data-part="refusal">
          {refusal}
        </p>
      )}
    </Dialog>
  )
}

/** What the run reserves: by their labels, as they are bound now. */
function reserved({ commands, roles }: RecipeDescription, bound: Readonly<Record<string, string>>): string {
  const names = commands.map((id) => {
    const role = Object.entries(roles).find(([name, each]) => each.default === id || name === id)?.[0]
    const instrument = (role === undefined ? undefined : bound[role]) ?? id
    return descriptions.value?.find((each) => each.id === instrument)?.label ?? instrument
  })
  return names.length === 0 ? t('runStartNone') : t('runStartText', { names: [...new Set(names)].join(', ') })
}

interface RoleFieldProps {
  role: string
  label: string
  chosen: string
  wrong: string
  onChoose: (id: string) => void
}

function RoleField({ role, label, chosen, wrong, onChoose }: RoleFieldProps) {
  const id = useId()
  return (
    <div class="field" data-role-of={role}>
      <label for={id}>{label}</label>
      <select
        id={id}
        value={chosen}
        aria-invalid={wrong !== ''}
        aria-describedby={wrong ? `${id}-wrong` : undefined}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {chosen === '' && <option value="">{t('runRoleNone')}</option>}
        {(descriptions.value ?? []).map((each) => (
          <option key={each.id} value={each.id}>
            {each.label === each.id ? each.id : `${each.label} (${each.id})`}
          </option>
        ))}
      </select>
      {wrong && (
        <p class="wrong" id={`${id}-wrong`} role="alert">
          {wrong}
        </p>
      )}
    </div>
  )
}
