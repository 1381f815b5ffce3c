import { runCli } from '@golem/cli'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { ARCHIVED_RUN, HOSTILE, RUN_BEGAN, RUN_ENDED, archiveRun } from '../kit/archived-run.ts'
import { ROOT } from '../kit/root.ts'
import { type Stand, startStand } from '../kit/stand.ts'

const SPAN = ['--from', new Date(RUN_BEGAN).toISOString(), '--to', new Date(RUN_ENDED).toISOString()]

let stand: Stand

before(async () => {
  stand = await startStand({ workers: 0, devices: [] })
  await archiveRun(join(stand.dir, 'archive', 'test.sqlite'))
})
after(() => stand.close())

interface Run {
  code: number
  stdout: string
  stderr: string
}

/** Runs a command line in the stand's folder. */
async function golem(...argv: string[]): Promise<Run> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCli(argv, {
    env: { GOLEM_URL: stand.url() },
    cwd: stand.dir,
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
  })
  return { code, stdout: out.join('\n'), stderr: err.join('\n') }
}

/** The same as a shell would, for what goes to stdout. */
function printed(...argv: string[]): Promise<string> {
  return ran(process.execPath, join(ROOT, 'apps/cli/dist/main.js'), ...argv, '--url', stand.url())
}

const read = (name: string): string => readFileSync(join(stand.dir, name), 'utf8')

test('golem export writes a file that gets its name when it is whole, and goes on with one that was cut off anywhere', async () => {
  const made = await golem('export', 'oven.door', 'oven.temperature', ...SPAN, '-o', 'oven.csv')
  assert.equal(made.code, 0, made.stderr)
  const whole = read('oven.csv')
  assert.match(whole, /\n# end, 3301 rows\n$/)
  const quoted = whole.indexOf('\u2028') // within the door's hostile text
  for (const length of [200, whole.indexOf('\n2026') + 3, quoted, whole.length - 40, whole.length]) {
    writeFileSync(join(stand.dir, 'again.csv.part'), Buffer.from(whole).subarray(0, length))
    const resumed = await golem('export', '--resume', '-o', 'again.csv')
    if (length === 200) {
      assert.equal(resumed.code, 2, 'cut off in its head')
      continue
    }
    assert.equal(resumed.code, 0, resumed.stderr)
    const again = read('again.csv')
    // The head says when it was asked for, where nothing but the head was there.
    assert.equal(
      again.slice(again.indexOf('\ntime,')),
      whole.slice(whole.indexOf('\ntime,')),
      `cut at ${length}`,
    )
    assert.ok(!existsSync(join(stand.dir, 'again.csv.part')))
  }
  const lines = await golem('export', 'oven', ...SPAN, '--format', 'ndjson', '-o', 'oven.ndjson')
  assert.equal(lines.code, 0, lines.stderr)
  const json = read('oven.ndjson')
  renameSync(join(stand.dir, 'oven.ndjson'), join(stand.dir, 'more.ndjson.part'))
  truncateSync(join(stand.dir, 'more.ndjson.part'), Buffer.byteLength(json) - 100)
  assert.equal((await golem('export', '--resume', '-o', 'more.ndjson')).code, 0)
  assert.equal(read('more.ndjson'), json)

  const stdout = await printed('export', 'oven.power', ...SPAN, '--layout', 'wide', '--every', 'exact')
  assert.match(stdout, /\ntime,oven\.power\n2026-05-01T08:00:00\.000Z,80\n/)
  const log = await printed('export', '--log', 'commands', ...SPAN)
  assert.deepEqual(
    log.split('\n').map((line) => (JSON.parse(line) as { what: string }).what),
    ['export', 'command', 'command', 'end'],
  )
})

test('golem export says what it does not understand, and what is not there, by its exit code', async () => {
  for (const [code, ...argv] of [
    [2, 'export'],
    [2, 'export', 'oven', '--resume'],
    [2, 'export', 'oven', '--resume', '-o', 'nothing.csv'],
    [2, 'export', 'oven', '--excel', '-o', 'x.parquet'],
    [2, 'export', '--log', 'events', 'oven'],
    [3, 'export', 'oven.smell', '-o', 'smell.csv'],
    [3, 'runs', 'export', 'nothing', '-o', 'nothing'],
  ] as const) {
    const run = await golem(...argv)
    assert.equal(run.code, code, `${argv.join(' ')}: ${run.stdout} ${run.stderr}`)
  }
  assert.ok(!existsSync(join(stand.dir, 'smell.csv')) && !existsSync(join(stand.dir, 'nothing')))
})

/** With what laboratories read it: the programs of Debian. */
async function ran(program: string, ...argv: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, argv, { cwd: stand.dir, maxBuffer: 1e8 })
  return stdout.trim()
}

test('pandas and Python read the CSV as they are told to: times, numbers, texts, remarks left out', async () => {
  await golem('export', 'oven', ...SPAN, '-o', 'p.csv')
  await golem('export', 'oven.temperature', 'oven.power', ...SPAN, '--layout', 'wide', '-o', 'w.csv')
  const told = await ran(
    '/usr/bin/python3',
    '-c',
    `
import csv, json, pandas
d = pandas.read_csv("p.csv", comment="#", parse_dates=["time"], float_precision="round_trip")
w = pandas.read_csv("w.csv", comment="#", parse_dates=["time"], index_col="time")
door = d[d.series == "oven.door"]
plain = [row for row in csv.reader(line for line in open("p.csv", newline="") if not line.startswith("#"))]
print(json.dumps([str(d.time.dtype), str(d.value.dtype), len(d), list(door.text), len(w), list(w.columns),
  float(w["oven.temperature"].iloc[0]), str(w.index[-1]), len(plain) - 1]))
`,
  )
  assert.deepEqual(JSON.parse(told), [
    'datetime64[ns, UTC]',
    'float64',
    6600,
    ['closed', HOSTILE],
    3299,
    ['oven.temperature', 'oven.power'],
    20,
    '2026-05-01 08:59:59+00:00',
    6600,
  ])
})

test('R reads the CSV as it is told to', async () => {
  await golem('export', 'oven', ...SPAN, '-o', 'r.csv')
  const told = await ran(
    'Rscript',
    '-e',
    `d <- read.csv("r.csv", comment.char = "#", encoding = "UTF-8")
     t <- as.POSIXct(d$time, format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")
     cat(nrow(d), class(d$value), format(max(t)), sum(d$series == "oven.power"), sum(is.na(t)), d$text[2] == "closed" | d$text[1] == "closed")`,
  )
  assert.equal(told, '6600 numeric 2026-05-01 08:59:59 3299 0 TRUE')
})

test('golem runs export makes a folder with all of a run, which sha256sum and golem bundle check find whole', async () => {
  const made = await golem('runs', 'export', ARCHIVED_RUN, '-o', 'bundle', '--tar', '--json')
  assert.equal(made.code, 0, made.stderr)
  assert.equal((JSON.parse(made.stdout) as { series: number }).series, 3)
  assert.match(await ran('sh', '-c', 'cd bundle && sha256sum -c SHA256SUMS'), /readings\.csv: OK/)
  assert.match((await golem('bundle', 'check', 'bundle')).stdout, /all as they were written/)

  assert.match(read('bundle/readings.csv'), /\n# end, 6600 rows\n$/)
  assert.equal(read('bundle/readings.parquet').slice(0, 4), 'PAR1')
  const log = read('bundle/log.ndjson').trimEnd().split('\n')
  assert.equal(log.length, 4, 'what another instrument did is not its own')
  assert.equal(read('bundle/alarms.ndjson').trimEnd().split('\n').length, 1)
  assert.equal(read('bundle/commands.ndjson').trimEnd().split('\n').length, 1)
  assert.equal(
    read('bundle/rows.csv'),
    'at,table,samples,level,oven.temperature\n2026-05-01T08:10:00.000Z,scan,3,1,1\n2026-05-01T08:20:00.000Z,scan,3,2,2\n',
  )
  assert.match(
    read('bundle/gaps.csv'),
    /\noven\.temperature,2026-05-01T08:20:00\.000Z,2026-05-01T08:25:00\.000Z,link,"<img/,
  )
  const { 'oven.temperature': share } = JSON.parse(read('bundle/completeness.json')) as Record<string, number>
  assert.ok(share !== undefined && Math.abs(share - 11 / 12) < 0.01)
  assert.match(
    await ran('tar', '-tf', 'bundle.tar'),
    /bundle\/documents\/recipe\/__\.\._bake-20260501T075959Z-b2\.txt/,
  )
  assert.equal((await golem('runs', 'export', ARCHIVED_RUN, '-o', 'bundle')).code, 2, 'it is there already')

  writeFileSync(join(stand.dir, 'bundle', 'run.json'), '{}')
  rmSync(join(stand.dir, 'bundle', 'gaps.csv'))
  writeFileSync(join(stand.dir, 'bundle', 'more.txt'), '')
  const damaged = await golem('bundle', 'check', 'bundle')
  assert.equal(damaged.code, 1)
  assert.match(
    damaged.stderr,
    /gaps\.csv is missing[\s\S]*run\.json is not as it was written[\s\S]*more\.txt does not belong/,
  )
})
