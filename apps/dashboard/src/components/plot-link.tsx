import type { ParameterDescription } from '@golem/core'
import type { ComponentChildren } from 'preact'
import { plotOf } from '../plots/address.ts'
import { t } from '../store.ts'

interface PlotLinkProps {
  instrument: string
  name: string
  parameter: ParameterDescription
  /** What is pressed; a small picture of a plot where there is nothing. */
  children?: ComponentChildren
}

/** From a reading to its plot. */
export function PlotLink({ instrument, name, parameter, children }: PlotLinkProps) {
  if (!parameter.readable || parameter.type === 'array') return <>{children}</>
  return (
    <a
      class="plot-link"
      href={plotOf(instrument, name)}
      data-role="plot"
      aria-label={t('plotLink', { name: parameter.label })}
      title={t('plotLink', { name: parameter.label })}
    >
      {children ?? (
        <svg viewBox="0 0 16 16" aria-hidden="true" focusable="false">
          <path d="M1.5 1.5V14.5H14.5M3.5 11L6.5 7L9.5 9L13.5 3.5" />
        </svg>
      )}
    </a>
  )
}
