import { EN_CALIBRATION } from './i18n/en-calibration.ts'
import { EN_INTERLOCKS } from './i18n/en-interlocks.ts'
import { EN_PLOTS } from './i18n/en-plots.ts'
import { EN_RUNS } from './i18n/en-runs.ts'
import { EN_TIMELINE } from './i18n/en-timeline.ts'
import { EN } from './i18n/en.ts'
import { EN_OUTPUTS } from './i18n/en-outputs.ts'
import { RU_CALIBRATION } from './i18n/ru-calibration.ts'
import { RU_INTERLOCKS } from './i18n/ru-interlocks.ts'
import { RU_PLOTS } from './i18n/ru-plots.ts'
import { RU_RUNS } from './i18n/ru-runs.ts'
import { RU_TIMELINE } from './i18n/ru-timeline.ts'
import { RU } from './i18n/ru.ts'
import { RU_OUTPUTS } from './i18n/ru-outputs.ts'

export type Language = 'en' | 'ru'
export type MessageKey =
  | keyof typeof EN_CALIBRATION
  | keyof typeof EN
  | keyof typeof EN_INTERLOCKS
  | keyof typeof EN_OUTPUTS
  | keyof typeof EN_PLOTS
  | keyof typeof EN_RUNS
  | keyof typeof EN_TIMELINE

const TABLES: Record<Language, Record<MessageKey, string>> = {
  en: { ...EN_CALIBRATION, ...EN, ...EN_INTERLOCKS, ...EN_PLOTS, ...EN_RUNS, ...EN_TIMELINE, ...EN_OUTPUTS },
  ru: { ...RU_CALIBRATION, ...RU, ...RU_INTERLOCKS, ...RU_PLOTS, ...RU_RUNS, ...RU_TIMELINE, ...RU_OUTPUTS },
}

/** The names of the languages, in themselves. */
export const LANGUAGES: readonly { code: Language; name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'ru', name: 'Русский' },
]

/** A sentence of the page; `{name}` places are filled from `values`. */
export function translate(
  language: Language,
  key: MessageKey,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return TABLES[language][key].replace(/\{(\w+)\}/g, (place, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : place,
  )
}

/** Russian when the reader's first known language is Russian, otherwise English. */
export function chooseLanguage(kept: string | null, preferred: readonly string[]): Language {
  if (kept === 'en' || kept === 'ru') return kept
  for (const tag of preferred) {
    const code = tag.toLowerCase().split('-')[0]
    if (code === 'en' || code === 'ru') return code
  }
  return 'en'
}
