'use strict'

/** Draws the plots of a bundle with uPlot; `window.golemPlots(words)` gives an element. */
;(() => {
  const HEIGHT = 180
  const COLOURS = ['#1f6f8b', '#a2542c', '#4d7c2f', '#7a4b94', '#9a7b10', '#b3365b']

  /** An element with a text, which is never taken for HTML. */
  function make(tag, text, className) {
    const element = document.createElement(tag)
    if (text !== undefined) element.textContent = text
    if (className !== undefined) element.className = className
    return element
  }

  /** Times in s, and values that are interrupted where there is a gap. */
  function columnsOf(series) {
    const points = series.times.map((time, index) => [
      time / 1000,
      series.mean[index],
      series.min[index],
      series.max[index],
    ])
    for (const gap of series.gaps) points.push([Date.parse(gap.from) / 1000, null, null, null])
    points.sort((one, other) => one[0] - other[0])
    // The last value still held until the last reading that was not stored singly.
    const last = points.at(-1)
    if (
      series.bucketMs === 0 &&
      last !== undefined &&
      series.until !== null &&
      series.until / 1000 > last[0]
    ) {
      points.push([series.until / 1000, last[1], last[2], last[3]])
    }
    return [0, 1, 2, 3].map((column) => points.map((point) => point[column]))
  }

  /** e.g. `2026-05-01 08:30:00` */
  function timeOf(seconds) {
    return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
  }

  /** Times of the axis in UTC, by the 24-hour clock: the date where it begins and at midnight. */
  function ticksOf(splits, step) {
    return splits.map((seconds, index) => {
      const [date, clock] = timeOf(seconds).split(' ')
      if (step >= 86_400) return date
      const time = step < 60 ? clock : clock.slice(0, 5)
      return index === 0 || clock === '00:00:00' ? `${time}\n${date}` : time
    })
  }

  function drawBands(plot, spans, colour) {
    const { ctx, bbox } = plot
    ctx.save()
    ctx.fillStyle = colour
    for (const { from, to } of spans) {
      const left = Math.max(bbox.left, plot.valToPos(from, 'x', true))
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, 'x', true))
      if (right > left) ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height)
    }
    ctx.restore()
  }

  function drawMarks(plot, times) {
    const { ctx, bbox } = plot
    ctx.save()
    ctx.strokeStyle = '#8896a5'
    ctx.setLineDash([4, 4])
    for (const time of times) {
      const x = plot.valToPos(time, 'x', true)
      if (x < bbox.left || x > bbox.left + bbox.width) continue
      ctx.beginPath()
      ctx.moveTo(x, bbox.top)
      ctx.lineTo(x, bbox.top + bbox.height)
      ctx.stroke()
    }
    ctx.restore()
  }

  function plotOf(series, colour, { span, stages }) {
    const box = make('div', undefined, 'plot')
    const unit = series.unit === undefined ? '' : `, ${series.unit}`
    const heading = make('h3', `${series.label} (${series.series})${unit}`)
    const pointed = make('span', '', 'muted')
    heading.append(' ', pointed)
    box.append(heading)
    const [times, mean, least, most] = columnsOf(series)
    const stepped = uPlot.paths.stepped({ align: 1 })
    const isHeld = series.bucketMs === 0
    const line = {
      stroke: colour,
      width: 1.5,
      points: { show: times.length < 60 },
      ...(isHeld ? { paths: stepped } : {}),
    }
    const bound = { stroke: 'transparent', points: { show: false } }
    const end = Date.parse(span.to) / 1000
    const gaps = series.gaps.map(({ from, to }) => ({
      from: Date.parse(from) / 1000,
      to: to === null ? end : Date.parse(to) / 1000,
    }))
    const options = {
      width: 600,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      scales: { x: { min: Date.parse(span.from) / 1000, max: end } },
      cursor: { sync: { key: 'golem' } },
      legend: { show: false },
      axes: [{ values: (_plot, splits, _axis, _space, step) => ticksOf(splits, step) }, { size: 60 }],
      series: [{}, line, bound, bound],
      bands: [{ series: [3, 2], fill: `${colour}33` }],
      hooks: {
        setCursor: [
          ({ cursor: { idx } }) => {
            const value = idx === null || idx === undefined ? null : mean[idx]
            pointed.textContent =
              value === null || value === undefined
                ? ''
                : `${timeOf(times[idx])}: ${Number(value.toPrecision(6))}`
          },
        ],
        drawClear: [(plot) => drawBands(plot, gaps, '#f3d9d6')],
        draw: [
          (plot) =>
            drawMarks(
              plot,
              stages.map(({ from }) => from / 1000),
            ),
        ],
      },
    }
    const place = make('div')
    box.append(place)
    // As wide as the page leaves room for, which is known only when it is on the page.
    const plot = new uPlot(options, [times, mean, least, most], place)
    new ResizeObserver(() =>
      plot.setSize({ width: Math.max(240, place.clientWidth), height: HEIGHT }),
    ).observe(place)
    return box
  }

  /** Of what is no number: the values as they followed each other. */
  function textsOf(series) {
    const box = make('div', undefined, 'plot')
    box.append(make('h3', `${series.label} (${series.series})`))
    const shown = series.times
      .slice(0, 200)
      .map((time, index) => `${new Date(time).toISOString()}  ${series.texts[index]}`)
    const list = make('pre', shown.join('\n'), 'scroll')
    box.append(list)
    return box
  }

  function stageBar({ stages, span }) {
    const bar = make('div', undefined, 'stages')
    const end = Date.parse(span.to)
    stages.forEach(({ name, from }, index) => {
      const part = make('span', name)
      part.title = `${name}: ${new Date(from).toISOString()}`
      part.style.flexGrow = String(Math.max(1, (stages[index + 1]?.from ?? end) - from))
      part.style.flexBasis = '0'
      bar.append(part)
    })
    return bar
  }

  window.golemPlots = (bundle, words) => {
    const section = make('section')
    section.id = 'readings'
    section.append(make('h2', words.readings))
    if (bundle.stages.length > 0) section.append(stageBar(bundle))
    bundle.series.forEach((series, index) => {
      if (series.times.length === 0) return
      section.append(
        series.texts === undefined
          ? plotOf(series, COLOURS[index % COLOURS.length], bundle)
          : textsOf(series),
      )
    })
    if (bundle.series.every(({ times }) => times.length === 0)) {
      section.append(make('p', words.nothingArchived, 'muted'))
    }
    return section
  }
})()
