import type { OutputState, ParameterDescription } from '@golem/core'
import { outputNow, rulesInWords } from '../output-words.ts'
import { language, now, t } from '../store.ts'

/** How an output stands under the rules of the site, and what they are. */
export function OutputRulesLine({
  parameter,
  output,
}: {
  parameter: ParameterDescription
  output: OutputState | undefined
}) {
  if (!parameter.rules) return null
  const sentences = rulesInWords(parameter, language.value)
  return (
    <div class="output-rules" data-part="rules" data-on={output?.on ?? 'unknown'}>
      {outputNow(parameter, output, now.value, language.value).map(({ part, text, looks }) => (
        <p key={part} class={looks} data-part={part}>
          {text}
        </p>
      ))}
      {sentences.length > 0 && (
        <details>
          <summary>{t('outputRules')}</summary>
          <ul>
            {sentences.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}
