import assert from 'node:assert/strict'
import fs from 'node:fs'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sba5Spec } from './device.ts'
import { startSimulator } from './simulator.ts'
import { openSerial, type SerialEnd, until } from './testing.ts'

const LINE = /^M 5\d{4} 4\d{4} 4\d\d\.\d\d 55\.0 0\.0 0\.0 829 55\.0 55\.0 00$/

async function makeAnalyser(t: TestContext, spec: Partial<Sba5Spec> = {}) {
  const simulator = await startSimulator({
    devices: [{ name: 'sba5', kind: 'sba5', warmUpSeconds: 0.05, zeroSeconds: 0.05, ...spec }],
  })
  t.after(() => simulator.close())
  const device = simulator.device('sba5')
  return { simulator, device, path: new URL(device.address).pathname }
}

/** An analyser that measures, with its line opened and quiet. */
async function makeReady(t: TestContext, spec: Partial<Sba5Spec> = {}) {
  const made = await makeAnalyser(t, { zeroSeconds: 0, ...spec })
  await until('it measures', () => made.device.state()['phase'] === 'measuring')
  const line = openSerial(made.device.address)
  t.after(() => line.close())
  line.send('F252\r\n')
  await until('it answers', () => line.lines().at(-1) === 'OK')
  made.device.resetCounters()
  return { ...made, line, next: listen(line) }
}

/** Gives the lines that come after it was made, one after the other. */
function listen(line: SerialEnd): () => Promise<string> {
  let taken = line.lines().length
  return async () => {
    await until('a line', () => line.lines().length > taken)
    taken += 1
    return line.lines()[taken - 1] ?? ''
  }
}

test('after power-on it warms up, zeroes, and then measures; M in between is not answered', async (t) => {
  const { device } = await makeAnalyser(t, { warmUpSeconds: 0.3, zeroSeconds: 0.3 })
  const line = openSerial(device.address)
  t.after(() => line.close())
  assert.equal(device.state()['phase'], 'warming')
  line.send('M')
  await until('it zeroes', () => device.state()['phase'] === 'zeroing')
  line.send('M')
  await until('it measures', () => device.state()['phase'] === 'measuring')
  line.send('M')
  await until('a measurement', () => LINE.test(line.lines().at(-1) ?? ''))
  const lines = line.lines()
  assert.ok(
    lines.slice(0, -1).every((text) => /^(W,\d\d\.\d|Z,\d+ of 25)$/.test(text)),
    lines.join('\n'),
  )
  assert.equal(lines.at(-2), 'Z,25 of 25')
})

test('a measurement has the fields of the mask in force', async (t) => {
  const { line, next } = await makeReady(t)
  const measure = async (mask: number): Promise<string> => {
    line.send(`F${mask}\r\n`)
    assert.equal(await next(), `F${mask}`)
    assert.equal(await next(), 'OK')
    line.send('M')
    return next()
  }
  assert.match(await measure(252), LINE)
  assert.match(await measure(212), /^M 5\d{4} 4\d{4} 4\d\d\.\d\d 55\.0 829 00$/)
  assert.match(await measure(4), /^M 4\d\d\.\d\d 00$/)
  assert.match(await measure(0), /^M 4\d\d\.\d\d$/)
  line.send('C0\rJ1\r')
  for (const wanted of ['C0', 'OK', 'J1', 'OK']) assert.equal(await next(), wanted)
  assert.match(await measure(4), /^M 4\d\d 0 00$/)
})

test('lines end with CR LF, and a command is echoed before its OK', async (t) => {
  const { line } = await makeReady(t)
  const before = line.text().length
  line.send('ES\r\n')
  await until('both lines', () => line.text().slice(before) === 'ES\r\nOK\r\n')
})

test('nonsense is not answered and counts as the fault of the client', async (t) => {
  const { line, next, device } = await makeReady(t)
  line.send('F999\r\nM')
  assert.match(await next(), LINE)
  assert.equal(device.state()['clientFaults'], 1)
})

test('requests are counted by their letter and kept with their text', async (t) => {
  const { line, next, device } = await makeReady(t)
  line.send('MM')
  line.send('A0\r\n')
  for (let count = 0; count < 4; count += 1) await next()
  assert.deepEqual(device.counters(), { M: 2, A: 1 })
  const [first, , third] = device.requests()
  assert.deepEqual({ ...first, at: '' }, { at: '', method: 'M', path: '', body: 'M', acted: false })
  assert.deepEqual({ ...third, at: '' }, { at: '', method: 'A', path: '', body: 'A0', acted: true })
})

test('continuous display sends lines at the interval, status in words, until !', async (t) => {
  const { line, next } = await makeReady(t)
  line.send('S,11,0.1\r')
  assert.equal(await next(), 'S,11,0.1')
  assert.equal(await next(), 'OK')
  line.send('@')
  assert.match(await next(), /^M .* 55\.0 None$/)
  assert.match(await next(), /^M .* 55\.0 None$/)
  line.send('!')
  line.send('B6\r')
  await until('it is acknowledged', () => line.lines().at(-1) === 'OK')
  const count = line.lines().length
  await sleep(250)
  assert.equal(line.lines().length, count)
})

test('Z zeroes at once, and EM takes twice as many lines', async (t) => {
  const { line, next, device } = await makeReady(t, { zeroSeconds: 0.05 })
  line.send('EM\rZ')
  assert.deepEqual([await next(), await next()], ['EM', 'OK'])
  for (let step = 1; step <= 48; step += 1) assert.equal(await next(), `Z,${step} of 48`)
  assert.equal(device.state()['phase'], 'measuring')
})

test('A starts a zero at once and then every so many minutes', async (t) => {
  const { line, device } = await makeReady(t, { zeroSeconds: 0.02, minuteSeconds: 0.1 })
  line.send('A2\r')
  const zeros = (): number => line.lines().filter((text) => text === 'Z,25 of 25').length
  await until('three zeros', () => zeros() >= 3)
  line.send('A0\r')
  await until('it is set', () => device.counters()['A'] === 2)
  assert.ok(zeros() >= 3)
})

test('the pump, the lamp, the alarm, the factor and the swapped ports show in the measurement', async (t) => {
  const { line, next } = await makeReady(t)
  const measureAfter = async (command: string): Promise<string[]> => {
    line.send(`${command}\r`)
    assert.deepEqual([await next(), await next()], [command, 'OK'])
    line.send('M')
    return (await next()).split(' ')
  }
  assert.equal((await measureAfter('L5000')).at(-1), '04')
  assert.equal((await measureAfter('L0')).at(-1), '00')
  assert.ok(Number((await measureAfter('U2'))[3]) > 800)
  assert.ok(Number((await measureAfter('U1'))[3]) < 500)
  assert.equal((await measureAfter('K0'))[2], '120')
  await measureAfter('K1')
  const held = (await measureAfter('P0'))[3]
  assert.equal((await measureAfter('P0'))[3], held)
  await measureAfter('P1')
  assert.equal((await measureAfter('W1'))[3], '0.00')
})

test('X keeps settings over a power cycle, ] brings the factory ones back', async (t) => {
  const { line, next, device } = await makeReady(t)
  const mask = (): unknown => (device.state()['settings'] as { mask: number }).mask
  line.send('F4\rXF8\r')
  for (const wanted of ['F4', 'OK', 'F8', 'OK']) assert.equal(await next(), wanted)
  await device.setFault({ kind: 'reboot', seconds: 0.05 })
  assert.equal(device.state()['phase'], 'off')
  await until('it measures again', () => device.state()['phase'] === 'measuring')
  assert.equal(mask(), 4)
  line.send(']')
  await until('they are back', () => mask() === 252)
})

test('?, V and N are answered with a line, single characters are echoed where that is set', async (t) => {
  const { line, next } = await makeReady(t, { echoSingle: true })
  line.send('?')
  assert.equal(await next(), '?')
  assert.match(await next(), /Zpup=1 Zdir=0/)
  line.send('V')
  assert.deepEqual([await next(), (await next()).slice(0, 5)], ['V', 'SBA-5'])
  line.send('N')
  assert.deepEqual([await next(), (await next()).slice(0, 2)], ['N', 'N '])
  line.send('!')
  assert.equal(await next(), '!')
})

test('it sucks its air from the experiment chamber', async (t) => {
  const { simulator, line, next } = await makeReady(t)
  line.send('B0\r')
  assert.deepEqual([await next(), await next()], ['B0', 'OK'])
  simulator.stand.switch('experiment.gasValve', true)
  simulator.stand.switch('experiment.gasPump', true)
  await sleep(1000)
  line.send('M')
  assert.ok(Number((await next()).split(' ')[3]) > 433)
})

test('unplug hangs up and removes the path, replug makes a new port at the same one', async (t) => {
  const { line, device, path } = await makeReady(t)
  await device.unplug()
  assert.equal(fs.existsSync(path), false)
  assert.equal(device.state()['reachable'], false)
  await until('it is hung up', () => line.hungUp())
  await device.replug()
  const again = openSerial(device.address)
  t.after(() => again.close())
  again.send('M')
  await until('a measurement', () => LINE.test(again.lines()[0] ?? ''))
})

test('a reader may close the port and open it again, many times', async (t) => {
  const { device, line } = await makeReady(t)
  line.close()
  for (let round = 0; round < 10; round += 1) {
    const again = openSerial(device.address)
    again.send('M')
    await until('a measurement', () => LINE.test(again.lines().at(-1) ?? ''))
    again.close()
  }
  assert.equal(device.counters()['M'], 10)
})

test('refuse: the port is away while the fault is set', async (t) => {
  const { device, path } = await makeReady(t)
  await device.setFault({ kind: 'refuse' })
  assert.equal(fs.existsSync(path), false)
  await device.setFault(null)
  assert.equal(fs.existsSync(path), true)
})

test('silence: does not answer the next one, acting or not', async (t) => {
  const { line, next, device } = await makeReady(t)
  await device.setFault({ kind: 'silence', times: 1, act: true })
  line.send('C1\rM')
  assert.match(await next(), /^M 5\d{4} 4\d{4} 4\d\d\.\d 55/)
  await device.setFault({ kind: 'silence', times: 1, act: false, match: { method: 'C' } })
  line.send('C2\rM')
  assert.match(await next(), /^M 5\d{4} 4\d{4} 4\d\d\.\d 55/)
  assert.deepEqual(
    device.requests().map(({ body, acted }) => [body, acted]),
    [
      ['C1', true],
      ['M', false],
      ['C2', false],
      ['M', false],
    ],
  )
})

test('late: the answer comes after its time, before that to the next question', async (t) => {
  const { line, next, device } = await makeReady(t)
  await device.setFault({ kind: 'late', ms: 150, times: 1 })
  const begun = performance.now()
  line.send('C1\r')
  await until('it is being served', () => device.requests()[0]?.fault === 'late')
  line.send('M')
  assert.equal(await next(), 'C1')
  assert.ok(performance.now() - begun >= 145)
  assert.equal(await next(), 'OK')
  assert.match(await next(), /^M /)
})

test('garbage, cut, duplicate, wrongValue and stuck spoil the answer', async (t) => {
  const { line, next, device } = await makeReady(t)
  await device.setFault({ kind: 'garbage', times: 1 })
  line.send('M')
  assert.doesNotMatch(await next(), /^M \d+ \d+ /)
  await device.setFault({ kind: 'duplicate', times: 1 })
  line.send('M')
  assert.equal(await next(), await next())
  await device.setFault({ kind: 'wrongValue', value: 1234, times: 2 })
  line.send('M')
  assert.equal((await next()).split(' ')[3], '1234')
  line.send('C1\r')
  assert.deepEqual([await next(), await next()], ['C2', 'OK'])
  await device.setFault({ kind: 'stuck', times: 1 })
  line.send('C0\rM')
  assert.deepEqual([await next(), await next()], ['C0', 'OK'])
  assert.match(await next(), /^M \d+ \d+ 4\d\d\.\d 55/)
  await device.setFault({ kind: 'cut', times: 1 })
  const before = line.text().length
  line.send('C1\r')
  await until('half of it', () => line.text().slice(before) === 'C1\r\n')
})

test('hugeReply: a megabyte without an end of line', async (t) => {
  const { line, device } = await makeReady(t)
  await device.setFault({ kind: 'hugeReply', times: 1 })
  const before = line.text().length
  line.send('M')
  await until('all of it', () => line.text().length - before === 1_200_002, 20_000)
  assert.match(line.text().slice(before), /^x+\r\n$/)
})

test('faults of HTTP boards do not fit', async (t) => {
  const { device } = await makeAnalyser(t)
  await assert.rejects(device.setFault({ kind: 'http500' }), /does not fit a serial line/)
})

test('a reader who does not read holds it up only until somebody reads', async (t) => {
  const { device, line } = await makeReady(t)
  line.close()
  const writer = fs.openSync(new URL(device.address).pathname, 'w')
  t.after(() => fs.closeSync(writer))
  for (let count = 0; count < 40; count += 1) fs.writeSync(writer, '?????')
  await until('all are taken', () => device.counters()['?'] === 200)
  const reader = openSerial(device.address)
  t.after(() => reader.close())
  await until('all answers are read', () => reader.lines().length === 200)
  reader.send('M')
  await until('a measurement', () => LINE.test(reader.lines().at(-1) ?? ''))
})
