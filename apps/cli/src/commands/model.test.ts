import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runForTest } from '../testing.ts'

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'golem-model-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

/** An instrument with a name and nothing else; what it was sent is kept. */
async function instrument(t: TestContext, idn: string): Promise<{ address: string; heard: string[] }> {
  const heard: string[] = []
  let voltage = 1.5
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.setEncoding('latin1').on('data', (text) => {
      for (const line of String(text).split('\n').filter(Boolean)) {
        heard.push(line)
        if (line === '*IDN?') socket.write(`${idn}\n`)
        else if (line === 'VOLT?') socket.write(`${voltage}\n`)
        else if (line === 'SYST:ERR?') socket.write('0,"No error"\n')
        else voltage = Number(line.replace('VOLT ', ''))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, heard }
}

test('model new asks the instrument its name and writes a file that model test accepts', async (t) => {
  const instanceDir = folder(t)
  const env = { GOLEM_INSTANCE: instanceDir }
  const { address } = await instrument(t, 'ACME, "Inc" $Lab,PSU (30V),SN1,1.0')
  const made = await runForTest(
    ['model', 'new', '--id', 'acme', '--kind', 'power supply', '--address', address],
    { env },
  )
  assert.equal(made.code, 0, made.err)
  const file = join(instanceDir, 'models', 'acme.yaml')
  assert.match(made.out, /golem model test .*acme\.yaml/)
  assert.match(readFileSync(file, 'utf8'), /^model: acme$/m)

  const tried = await runForTest(['model', 'test', file], { env })
  assert.equal(tried.code, 0, tried.err + tried.out)
  assert.match(tried.out, /voltage +0 V +\S+ V +\S+ V +ok/)
  const again = await runForTest(['model', 'new', '--id', 'acme', '--kind', 'x', '--label', 'y'], { env })
  assert.match(again.err, /is there already/)
})

test('a real instrument is read only, and with --write gets the value it has', async (t) => {
  const instanceDir = folder(t)
  const env = { GOLEM_INSTANCE: instanceDir }
  const { address, heard } = await instrument(t, 'ACME,PSU,SN1,1.0')
  await runForTest(['model', 'new', '--id', 'acme', '--kind', 'supply', '--address', address], { env })
  heard.length = 0
  const read = await runForTest(['model', 'test', 'acme', '--address', address], { env })
  assert.equal(read.code, 0, read.err)
  assert.match(read.out, /voltage +1\.5 V +.*Not written/)
  assert.ok(
    heard.every((line) => line.endsWith('?')),
    heard.join(),
  )
  const written = await runForTest(['model', 'test', 'acme', '--address', address, '--write', '--json'], {
    env,
  })
  assert.equal(written.code, 0, written.err)
  assert.deepEqual(
    heard.filter((line) => !line.endsWith('?')),
    ['VOLT 1.5'],
  )
})

test('what is wrong is said: another instrument, a faulty file, no such model, nobody to ask', async (t) => {
  const instanceDir = folder(t)
  const env = { GOLEM_INSTANCE: instanceDir }
  const { address } = await instrument(t, 'OTHER,METER,SN1,1.0')
  const other = await runForTest(['model', 'test', 'rigol-dp800', '--address', address], { env })
  assert.equal(other.code === 0, false)
  assert.match(other.err, /OTHER,METER/)
  const file = join(instanceDir, 'broken.yaml')
  writeFileSync(file, 'model: x\ntransport: line\nparameters:\n  a: { label: A, typo: 1 }\n')
  const faulty = await runForTest(['model', 'test', file], { env })
  assert.match(faulty.err, /broken\.yaml:4:\d+ parameters\.a\.typo: "typo" is not known here/)
  assert.match((await runForTest(['model', 'test', 'no-such'], { env })).err, /Models: .*rigol-dp800/)
  assert.match((await runForTest(['model', 'new'], { env })).err, /--id is missing/)
})
