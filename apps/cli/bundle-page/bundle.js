'use strict'

/** The page of a bundle: shows what `page/data.js` has. Texts are set as texts, never as HTML. */
;(() => {
  const bundle = window.GOLEM_BUNDLE
  const languages = window.GOLEM_WORDS
  const isRussian = navigator.language.startsWith('ru')

  function make(tag, text, className) {
    const element = document.createElement(tag)
    if (text !== undefined && text !== null) element.textContent = String(text)
    if (className !== undefined) element.className = className
    return element
  }

  function section(id, title, ...parts) {
    const element = make('section')
    element.id = id
    element.append(make('h2', title), ...parts)
    return element
  }

  function facts(pairs) {
    const list = make('dl')
    for (const [name, value] of pairs) {
      if (value === undefined || value === null || value === '') continue
      list.append(make('dt', name), make('dd', value))
    }
    return list
  }

  /** @param columns - head and how a row's cell is made; a cell is a text or an element */
  function table(columns, rows) {
    const head = make('tr')
    for (const [name] of columns) head.append(make('th', name))
    const element = make('table')
    const top = make('thead')
    top.append(head)
    const body = make('tbody')
    for (const row of rows) {
      const line = make('tr')
      for (const [, cell, className] of columns) {
        const made = cell(row)
        const field = make('td', made instanceof Node ? undefined : made, className)
        if (made instanceof Node) field.append(made)
        line.append(field)
      }
      body.append(line)
    }
    element.append(top, body)
    const box = make('div', undefined, 'scroll')
    box.append(element)
    return box
  }

  function time(text) {
    return text === null || text === undefined ? '' : text.replace('T', ' ').replace('Z', '')
  }

  function percent(share) {
    return share === null ? '—' : `${(Math.floor(share * 10_000) / 100).toString()} %`
  }

  function inWords(value) {
    if (Array.isArray(value))
      return value.length > 8 ? `[${value.slice(0, 8).join(', ')}, …]` : `[${value.join(', ')}]`
    return String(value)
  }

  function whatOf(command) {
    if (command.exchange !== undefined) return command.exchange
    if (command.parameter !== undefined) return `${command.parameter} = ${inWords(command.value)}`
    const given = Object.entries(command.arguments ?? {}).map(([name, value]) => `${name}: ${inWords(value)}`)
    return `${command.action}(${given.join(', ')})`
  }

  /** A table that shows only the beginning of a long list says so. */
  function long(words, { shown, all }, file, columns) {
    const parts = [table(columns, shown)]
    if (all > shown.length) {
      const note = make(
        'p',
        `${words.shown.replace('{shown}', shown.length).replace('{all}', all)} `,
        'muted',
      )
      note.append(link(file))
      parts.unshift(note)
    }
    return all === 0 ? [make('p', words.none, 'muted')] : parts
  }

  function link(path) {
    const element = make('a', path)
    element.href = path.split('/').map(encodeURIComponent).join('/')
    return element
  }

  function draw(words, other) {
    const { run, origin, span } = bundle
    document.title = `${run.label} (${run.id})`
    const page = document.querySelector('#page')
    const header = make('header')
    const title = make('h1', run.label)
    title.append(' ', make('small', run.id, 'muted'))
    const language = make('button', words.other)
    language.addEventListener('click', () => draw(languages[other], other === 'ru' ? 'en' : 'ru'))
    header.append(title, language)

    const result = make('span', [run.end ?? run.state, run.message].filter(Boolean).join(': '))
    if (run.end === 'failed' || run.end === 'aborted' || run.end === 'killed') result.className = 'bad'
    const about = facts([
      [words.recipe, run.recipe],
      [words.by, run.by],
      [words.note, run.note],
      [words.begin, time(run.startedAt ?? run.submittedAt)],
      [words.end, run.endedAt === undefined ? words.lasts : time(run.endedAt)],
      [words.instruments, bundle.instruments.join(', ')],
      [
        words.parameters,
        Object.entries(run.parameters ?? {})
          .map(([name, value]) => `${name} = ${inWords(value)}`)
          .join(', '),
      ],
      [
        words.interruptions,
        run.interruptions?.count > 0
          ? `${run.interruptions.count} (${run.interruptions.ms / 1000} s)`
          : words.none,
      ],
    ])
    const resultText = make('dd')
    resultText.append(result)
    about.prepend(make('dt', words.result), resultText)

    const columns = make('div', undefined, 'columns')
    columns.append(
      section('about', words.about, about),
      section(
        'origin',
        words.origin,
        facts([
          [words.site, `${origin.title} (${origin.site})`],
          [words.written, `${time(origin.exportedAt)}, golem ${origin.golem}`],
          [words.span, `${time(span.from)} – ${time(span.to)}`],
        ]),
        make('p', words.times, 'muted'),
      ),
    )

    page.replaceChildren(
      header,
      columns,
      window.golemPlots(bundle, words),
      section(
        'series',
        words.series,
        table(
          [
            [words.series, (row) => row.series],
            [words.label, (row) => row.label, 'long'],
            [words.unit, (row) => row.unit],
            [words.completeness, (row) => percent(row.completeness)],
            [words.calibration, (row) => bundle.calibrations[row.series] ?? '', 'long'],
          ],
          bundle.series,
        ),
      ),
      section(
        'gaps',
        words.gaps,
        ...long(words, bundle.gaps, 'gaps.csv', [
          [words.series, (row) => row.series],
          [words.from, (row) => time(row.from), 'time'],
          [words.to, (row) => time(row.to), 'time'],
          [words.reason, (row) => row.reason],
          [words.message, (row) => row.message, 'long'],
        ]),
      ),
      section(
        'commands',
        words.commands,
        ...long(words, bundle.commands, 'commands.ndjson', [
          [words.time, (row) => time(row.submittedAt), 'time'],
          [words.instrument, (row) => row.instrument],
          [words.command, whatOf, 'long'],
          [words.who, (row) => row.by],
          [words.outcome, (row) => row.outcome ?? row.state],
          [words.message, (row) => row.message, 'long'],
        ]),
      ),
      section(
        'log',
        words.log,
        ...long(words, bundle.events, 'log.ndjson', [
          [words.time, (row) => time(row.at), 'time'],
          [words.kind, (row) => row.kind],
          [words.instrument, (row) => row.instrument],
          [words.who, (row) => row.by],
          [words.message, (row) => row.message, 'long'],
        ]),
      ),
      section(
        'documents',
        words.documents,
        table(
          [
            [words.kind, (row) => row.kind],
            [words.name, (row) => row.name],
            [words.since, (row) => time(row.at), 'time'],
            [words.files, (row) => link(row.file)],
          ],
          bundle.documents,
        ),
      ),
      section(
        'files',
        words.files,
        table(
          [
            [words.name, (row) => link(row.file)],
            [words.size, (row) => row.bytes],
          ],
          bundle.files,
        ),
      ),
    )
    document.documentElement.lang = other === 'ru' ? 'en' : 'ru'
  }

  draw(languages[isRussian ? 'ru' : 'en'], isRussian ? 'en' : 'ru')
})()
