import type { ParameterDescription } from '@golem/core'
import { formatValue } from '../format.ts'
import { extentOf, sparklinePath } from '../sparkline.ts'
import { history, language, site, siteNow, t } from '../store.ts'

const WIDTH = 120
const HEIGHT = 26
/** Less than this share of a measured value is drawn as the noise it mostly is. */
const NOISE_SHARE = 0.02

interface SparklineProps {
  instrument: string
  name: string
  parameter: ParameterDescription
  pollEveryMs: number
}

/** The last minutes of a number or a switch. For the eye only: the value beside it says what counts. */
export function Sparkline({ instrument, name, parameter, pollEveryMs }: SparklineProps) {
  const to = site.value === null ? null : siteNow()
  const isSwitch = parameter.type === 'boolean'
  if (!isSwitch && parameter.type !== 'number' && parameter.type !== 'integer') return null
  const points = history.of(instrument, name)
  const extent = extentOf(points)
  const path =
    to === null || extent === null
      ? ''
      : sparklinePath(points, {
          from: history.windowStart(to),
          to,
          width: WIDTH,
          height: HEIGHT,
          steps: isSwitch,
          leastSpan: Math.max(
            8 * 10 ** -(parameter.decimals ?? 1),
            NOISE_SHARE * Math.max(Math.abs(extent.min), Math.abs(extent.max)),
          ),
          maxGapMs: Math.max(20_000, 4 * pollEveryMs),
        })
  const shown = (value: number): string =>
    isSwitch ? t(value === 1 ? 'on' : 'off') : formatValue(value, parameter, language.value)
  const title = extent ? t('lastMinutes', { min: shown(extent.min), max: shown(extent.max) }) : ''
  return (
    <span class="spark" title={title}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <path d={path} vector-effect="non-scaling-stroke" />
      </svg>
    </span>
  )
}
