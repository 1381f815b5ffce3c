import type { Language } from './model-file.ts'

/** What a model file may have as `transport`. A transport of its own file adds one line here. */
export const LANGUAGES: ReadonlyMap<string, Language> = new Map<string, Language>([])
