import type { RunRecord } from '@golem/core'
import type { PageData } from './contents.ts'

/** README.txt of a bundle: what is in the folder, for whoever finds it years later. */
export function readmeOf(run: RunRecord, origin: PageData['origin'], span: PageData['span']): string {
  const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ')
  return `Run ${oneLine(run.label)} (${run.id}) of the recipe ${run.recipe}
Site ${oneLine(origin.title)} (${origin.site}), from ${span.from} to ${span.to}, all times UTC
Written ${origin.exportedAt} by golem ${origin.golem}

index.html           opens in a browser, without a network: plots, stages, commands, gaps, log
run.json             the run: recipe, parameters, who started it, how it ended
documents/           what it depended on: descriptions of instruments with models, limits and calibrations; recipes; texts
readings.csv         readings as they were stored: time, series, value, text. Lines that begin with # are remarks
readings.parquet     the same; units and calibrations are in its metadata under golem.series
gaps.csv             times without readings, and why
completeness.json    share of the time without gaps, by series
rows.csv             what the steps of the recipe measured; rows.ndjson is the same as lines of JSON
commands.ndjson      every command to these instruments, with its outcome; a line of JSON for each
log.ndjson           what happened: alarms, people's notes, lines of programs, conditions; alarms.ndjson has its alarms
SHA256SUMS           \`sha256sum -c SHA256SUMS\` or \`golem bundle check FOLDER\` says whether all is as it was written

pandas   pandas.read_csv("readings.csv", comment="#", parse_dates=["time"])
         pandas.read_parquet("readings.parquet")
R        read.csv("readings.csv", comment.char = "#")
`
}
