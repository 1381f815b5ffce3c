import { openArchiveReader } from '@golem/archive'
import { checkBackup } from '@golem/backup'
import type { CommandRecord, FleetDocument, SiteEvent, StateDocument } from '@golem/core'
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../kit/eventually.ts'
import { ROOT } from '../kit/root.ts'
import { type Stand, startStand } from '../kit/stand.ts'
import { makeTempDir } from '../kit/temp.ts'

const PASSPHRASE = 'correct horse battery staple'

interface Ended {
  code: number
  out: string
  err: string
}

/** Runs the command line as a shell would. */
function golem(stand: Stand, ...argv: string[]): Promise<Ended> {
  const env = { ...process.env, GOLEM_SITE: stand.siteFile }
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'apps/cli/dist/main.js'), ...argv], { env }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
    })
  })
}

/** What the archive has, with what it has of the relay. */
async function archived(stand: Stand): Promise<{ samples: number; commands: string[]; events: number }> {
  const archive = await openArchiveReader(join(stand.dir, 'archive', 'test.sqlite'))
  try {
    const [samples] = await archive.query<{ n: number }>('SELECT count(*) AS n FROM sample')
    const [events] = await archive.query<{ n: number }>('SELECT count(*) AS n FROM event')
    const commands = await archive.query<{ id: string }>('SELECT id FROM command ORDER BY t, id')
    return { samples: samples?.n ?? 0, events: events?.n ?? 0, commands: commands.map(({ id }) => id) }
  } finally {
    await archive.close()
  }
}

/** Every process is killed, all files and all of Redis are gone. */
async function destroy(stand: Stand): Promise<void> {
  const all = [...stand.workers, ...stand.webs, ...stand.schedulers, ...stand.archivers]
  await Promise.all(all.map((one) => one.kill('SIGKILL')))
  for (const name of readdirSync(stand.dir)) rmSync(join(stand.dir, name), { recursive: true })
  await stand.redis.call('FLUSHALL')
}

function elsewhere(t: TestContext): string {
  const dir = makeTempDir('golem-backup')
  t.after(() => dir.remove())
  return dir.path
}

test('the site is destroyed and restored: ledger, log, stop, archive and files are as they were, and nothing is done again', async (t) => {
  const stand = await startStand({ archivers: 1 })
  t.after(() => stand.close())
  mkdirSync(join(stand.dir, 'recipes'))
  writeFileSync(join(stand.dir, 'recipes', 'mine.yaml'), 'label: Mine\nstages: []\n')
  mkdirSync(join(stand.dir, 'secrets'))
  writeFileSync(join(stand.dir, 'secrets', 'smtp'), 'hush\n')
  const passphrases = elsewhere(t)
  const passphraseFile = join(passphrases, 'passphrase')
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`)

  const { body: on } = await stand.command('relays', { parameter: 'relay0', value: true })
  assert.equal(on.outcome, 'done')
  await stand.api('/api/instruments/lamp/stop', { method: 'POST', body: { reason: 'smoke' } })
  await eventually(async () => (await archived(stand)).commands.includes(on.id), {
    what: 'the command is archived',
    timeoutMs: 20_000,
  })
  const before = await archived(stand)
  const writes = stand.sim.device('relays').counters()

  const file = join(elsewhere(t), 'stand.golem-backup.age')
  const made = await golem(stand, 'backup', file, '--passphrase-file', passphraseFile)
  assert.equal(made.code, 0, made.err)
  assert.match(made.out, /written, read again and found whole/)
  assert.ok(!readFileSync(file).includes('hush'))
  const again = await golem(stand, 'backup', file, '--passphrase-file', passphraseFile)
  assert.match(again.err, /is there already; it is not overwritten/)

  const running = await golem(
    stand,
    'restore',
    file,
    '--passphrase-file',
    passphraseFile,
    '--replace',
    '--yes',
  )
  assert.match(running.err, /Nothing was changed: the site "test" runs \(worker-0\)/)

  await destroy(stand)
  const restored = await golem(stand, 'restore', file, '--to', stand.dir, '--passphrase-file', passphraseFile)
  assert.equal(restored.code, 0, restored.err)
  assert.equal(readFileSync(join(stand.dir, 'recipes', 'mine.yaml'), 'utf8'), 'label: Mine\nstages: []\n')
  assert.equal(readFileSync(join(stand.dir, 'secrets', 'smtp'), 'utf8'), 'hush\n')
  const found = await archived(stand)
  assert.ok(
    found.samples >= before.samples && found.events >= before.events,
    JSON.stringify({ found, before }),
  )
  assert.deepEqual(found.commands, before.commands)

  const web = stand.webs.length
  await Promise.all([stand.addWeb(), stand.addWorker(), stand.addArchiver()])
  assert.deepEqual((await stand.api<CommandRecord>(`/api/commands/${on.id}`, { web })).body, on)
  const log = await stand.api<SiteEvent[]>('/api/events?limit=1000', { web })
  assert.ok(log.body.some(({ command }) => command === on.id))
  const { body: state } = await stand.api<StateDocument>('/api/state', { web })
  assert.equal(state.stop.instruments['lamp']?.reason, 'smoke')
  // It goes on: the relay is read and obeys, once for each command.
  const off = await eventually(
    async () => {
      const { body } = await stand.command('relays', { parameter: 'relay0', value: false }, { web })
      assert.equal(body.outcome, 'done', JSON.stringify(body))
      return body
    },
    { what: 'the relay obeys', timeoutMs: 30_000 },
  )
  await eventually(async () => (await archived(stand)).commands.includes(off.id), {
    what: 'what happens after the restore is archived',
    timeoutMs: 30_000,
  })
  assert.ok(JSON.stringify(stand.sim.device('relays').counters()) !== JSON.stringify(writes))
})

test('a damaged backup, a wrong passphrase, and what is in the way are refused, and nothing is changed', async (t) => {
  const stand = await startStand({ archivers: 1, workers: 0 })
  t.after(() => stand.close())
  mkdirSync(join(stand.dir, 'secrets'))
  writeFileSync(join(stand.dir, 'secrets', 'smtp'), 'hush\n')
  const folder = elsewhere(t)
  const { code, out, err } = await golem(stand, 'backup', folder, '--json')
  assert.equal(code, 0, err)
  const { file, leftOut } = JSON.parse(out) as { file: string; leftOut: string[] }
  assert.match(leftOut.join(), /secrets/)
  assert.ok(!execFileSync('tar', ['-tzf', file], { encoding: 'utf8' }).includes('smtp'))
  assert.match((await golem(stand, 'backup', '--check', file)).out, /is whole: site "test"/)

  const inTheWay = await golem(stand, 'restore', file)
  assert.match(inTheWay.err, /Nothing was changed: .*site\.yaml.* would be overwritten/)

  const target = join(folder, 'new')
  const whole = readFileSync(file)
  const damaged = join(folder, 'damaged')
  for (const [what, damage] of [
    ['cut short', () => truncateSync(damaged, Math.floor(whole.length / 2))],
    ['its last bytes are missing', () => truncateSync(damaged, whole.length - 20)],
    ['empty', () => truncateSync(damaged, 0)],
    ['no backup', () => writeFileSync(damaged, 'PK\u0003\u0004 something else')],
    ...[0.1, 0.3, 0.5, 0.7, 0.9].map((part): [string, () => void] => [
      `one bit is turned at ${part}`,
      () => {
        const bytes = Buffer.from(whole)
        const at = Math.floor(bytes.length * part)
        bytes[at] = (bytes[at] ?? 0) ^ 16
        writeFileSync(damaged, bytes)
      },
    ]),
  ] as [string, () => void][]) {
    writeFileSync(damaged, whole)
    damage()
    await assert.rejects(checkBackup(damaged, null), /damaged|no backup/, what)
  }
  const refused = await golem(stand, 'restore', damaged, '--to', target)
  assert.deepEqual([refused.code, /is damaged|no backup/.test(refused.err)], [1, true], refused.err)
  assert.deepEqual(existsSync(target) ? readdirSync(target) : [], [])

  const passphraseFile = join(folder, 'passphrase')
  writeFileSync(passphraseFile, PASSPHRASE)
  const secret = join(folder, 'secret.age')
  assert.equal((await golem(stand, 'backup', secret, '--passphrase-file', passphraseFile)).code, 0)
  assert.equal(statSync(secret).mode & 0o777, 0o600)
  assert.match((await golem(stand, 'backup', '--check', secret)).err, /is encrypted: give its passphrase/)
  writeFileSync(passphraseFile, 'another')
  const wrong = await golem(stand, 'backup', '--check', secret, '--passphrase-file', passphraseFile)
  assert.match(wrong.err, /can't be decrypted: another passphrase/)
})

test('the archiver makes a backup when one is due, carries it on, and says when that fails', async (t) => {
  const carried = elsewhere(t)
  // Spaces and a second line belong to it, whoever reads it.
  const passphraseFile = join(elsewhere(t), 'passphrase')
  writeFileSync(passphraseFile, ` ${PASSPHRASE} \nand more\n`)
  const stand = await startStand({
    archivers: 1,
    workers: 0,
    site: {
      backup: { at: '00:00', to: 'kept', passphraseFile, afterwards: ['cp', '{file}', `${carried}/`] },
    },
  })
  t.after(() => stand.close())
  const [name = ''] = await eventually(
    () => (readdirSync(carried).length > 0 ? readdirSync(carried) : null),
    {
      what: 'a backup is carried on',
      timeoutMs: 60_000,
    },
  )
  const check = ['--check', join(stand.dir, 'kept', name), '--passphrase-file', passphraseFile]
  assert.match((await golem(stand, 'backup', ...check)).out, /is whole/)
  const backup = await eventually(async () => (await fleet(stand)).archivers[0]?.backup, {
    what: 'the fleet knows of the backup',
  })
  assert.equal(backup.trouble, undefined)
  assert.ok(backup.lastAt !== null && name.includes(backup.lastAt.slice(0, 10)))

  rmSync(join(stand.dir, 'kept'), { recursive: true })
  writeFileSync(
    stand.siteFile,
    readFileSync(stand.siteFile, 'utf8')
      .replace('"cp"', '"false"')
      .replace(/\bcp\b/, 'false'),
  )
  await stand.archivers[0]?.kill('SIGKILL')
  await stand.addArchiver(0)
  await eventually(
    async () => (await fleet(stand)).archivers.some((one) => /ended with 1/.test(one.backup?.trouble ?? '')),
    { what: 'the failure is told', timeoutMs: 60_000 },
  )
})

async function fleet(stand: Stand): Promise<FleetDocument> {
  return (await stand.api<FleetDocument>('/api/fleet')).body
}
