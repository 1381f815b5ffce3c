import { useEffect, useRef, useState } from 'preact/hooks'
import type { PlotChart as Chart } from '../plots/chart.ts'
import type { ChartEvents, ChartModel } from '../plots/chart-model.ts'

interface PlotChartProps extends ChartEvents {
  model: ChartModel
  label: string
  /** Gives the chart to whoever makes a picture of it; null: it is gone. */
  onChart: (chart: Chart | null) => void
}

/** The element in which the chart draws. Its program is loaded when the first plot is looked at. */
export function PlotChart({ model, label, onChart, onView, onCursor }: PlotChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const [chart, setChart] = useState<Chart | null>(null)
  const [size, setSize] = useState(0)
  const isMoving = useRef(false)
  const events = useRef<ChartEvents>({ onView, onCursor })
  events.current = {
    onCursor,
    onView: (view, isFinal) => {
      isMoving.current = !isFinal
      onView(view, isFinal)
    },
  }
  useEffect(() => {
    let made: Chart | null = null
    let isOver = false
    const make = async (): Promise<void> => {
      const { PlotChart: Made } = await import('../plots/chart.ts')
      if (isOver || !place.current) return
      made = new Made(place.current, {
        onView: (view, isFinal) => events.current.onView(view, isFinal),
        onCursor: (at) => events.current.onCursor(at),
      })
      setChart(made)
      onChart(made)
    }
    void make()
    return () => {
      isOver = true
      onChart(null)
      made?.destroy()
    }
  }, [])
  useEffect(() => {
    if (!place.current) return
    const changed = (): void => setSize((before) => before + 1)
    const observer = new ResizeObserver(changed)
    observer.observe(place.current)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', changed)
    return () => {
      observer.disconnect()
      scheme.removeEventListener('change', changed)
    }
  }, [])
  useEffect(() => {
    // What people are moving is not moved by the clock.
    if (!isMoving.current) chart?.show(model)
  }, [chart, model, size])
  return <div class="plot" ref={place} role="img" aria-label={label} data-part="plot-area" />
}
