import { line } from './line.ts'
import type { Language } from './model-file.ts'
import { modbus } from './modbus.ts'
import { mqttLanguage } from './mqtt.ts'
import { stream } from './stream.ts'

/** What a model file may have as `transport`. A transport of its own file adds one line here. */
export const LANGUAGES: ReadonlyMap<string, Language> = new Map<string, Language>([
  ['line', line],
  ['stream', stream],
  ['modbus', modbus],
  ['mqtt', mqttLanguage],
])
