import { parseArgs } from 'node:util'
import { ARCHIVE_KINDS, type ArchiveFate, killArchiver } from './archiver.ts'
import { type Fate, playRound, startFaultStand, type Victim, VICTIMS, wrongWith } from './rounds.ts'

// Kills each process (kill -9) in each kind of step of a run, on a real stand, and asks the devices what came of it:
// `npm run faults`, or `npm run faults -- worker redis`. `--rounds 5` does it five times. `npm run faults -- archive` kills
// the archiver, its database and Redis a hundred times while readings come, with SQLite and with PostgreSQL, and asks the
// archive; `archive postgres` with that only, `--rounds 20` twenty times.

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' } },
})
if (positionals[0] === 'archive') {
  const kinds = ARCHIVE_KINDS.filter((name) => positionals.length === 1 || positionals.includes(name))
  const found: ArchiveFate[] = []
  for (const kind of kinds) found.push(await killArchiver(kind, Number(values.rounds ?? 100), console.error))
  const rows = found.map(({ database, kills, lines, missing, gaps, seconds }) => [
    database,
    kills,
    String(lines),
    String(missing),
    gaps,
    String(seconds),
  ])
  console.log(
    tableOf([['archive in', 'kill -9', 'lines, each archived once', 'not read', 'gaps', 'seconds'], ...rows]),
  )
  process.exit(0)
}
const unknown = positionals.find((name) => !VICTIMS.some((victim) => victim === name))
if (unknown !== undefined) {
  console.error(`There is no process "${unknown}". There are: ${VICTIMS.join(', ')}.`)
  process.exit(2)
}
const victims = VICTIMS.filter((name) => positionals.length === 0 || positionals.includes(name))
const fates: Fate[] = []
const stand = await startFaultStand()
try {
  for (let round = 0; round < Number(values.rounds ?? 1); round += 1) {
    for (const victim of victims) {
      console.error(`kill -9 ${victim} ...`)
      fates.push(...(await playRound(stand, victim)))
    }
  }
} finally {
  await stand.close()
}
console.log(asTable(fates, victims))
const faults = fates.flatMap((fate) =>
  wrongWith(fate).map((wrong) => `${fate.kind} x ${fate.victim}: ${wrong}`),
)
for (const fault of faults) console.log(`WRONG: ${fault}`)
const sum = (of: (fate: Fate) => number): number => fates.reduce((all, fate) => all + of(fate), 0)
console.log(
  `\n${fates.length} runs; effects repeated: ${sum(({ repeated }) => repeated)}, runs lost: ${sum(({ isLost }) => Number(isLost))}, ` +
    `commands called done that never came: ${sum(({ missing }) => missing)}, ends not done: ${sum(({ isEndDone }) => Number(!isEndDone))}`,
)
process.exit(faults.length === 0 ? 0 : 1)

/** A line for each kind of step, a column for each process: how the run ended, and effects repeated. */
function asTable(all: readonly Fate[], columns: readonly Victim[]): string {
  const kinds = [...new Set(all.map(({ kind }) => kind))]
  const cell = (kind: string, victim: Victim): string => {
    const own = all.filter((fate) => fate.kind === kind && fate.victim === victim)
    const ends = [...new Set(own.map(({ end }) => end))].join('/')
    const repeated = own.reduce((count, fate) => count + fate.repeated, 0)
    return `${ends}, ${repeated} repeated`
  }
  const rows = [
    ['step', ...columns.map((victim) => `kill -9 ${victim}`)],
    ...kinds.map((kind) => [kind, ...columns.map((victim) => cell(kind, victim))]),
  ]
  return tableOf(rows)
}

/** @param rows - the first one is the head */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}
