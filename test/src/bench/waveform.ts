import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LineIo, parseAddress, type Value } from '@golem/core'
import { readModelFile, SHIPPED_MODELS } from '@golem/drivers'
import { openLink } from '@golem/transports'
import { spawnNode } from '../kit/process.ts'
import { startStand } from '../kit/stand.ts'
import { makeTempDir } from '../kit/temp.ts'
import { type Figure, inMs, spreadOf, times } from './figures.ts'
import { pssMb } from './process-cost.ts'

const POINTS = 1_000_000
/** `#9001000000`, a byte for each point, and the line end. */
const ANSWER_BYTES = 11 + POINTS + 1
const ROUNDS = 30
const MODEL = 'rigol-ds1000z-deep'
const ARGUMENTS = { channel: 'CHAN1', first: 1, last: POINTS }

const END = fileURLToPath(new URL('transports-end.js', import.meta.url))

/** A waveform of a megabyte from an oscilloscope: by a link, and as a command through a whole stand. */
export async function measureWaveform(): Promise<Figure[]> {
  const dir = makeTempDir('golem-bench')
  const file = join(dir.path, 'scope.yaml')
  writeFileSync(file, deepScope())
  const scope = spawnNode(END, ['scope', file], { name: 'scope' })
  try {
    const port = (await scope.ready).url ?? ''
    const byLink = await linkAgainstBare(port, file)
    const byStand = await throughStand(port)
    const [bare, link] = [spreadOf(byLink.bare), spreadOf(byLink.golem)]
    const [command, result, json] = [byStand.command, byStand.f64, byStand.json].map(spreadOf)
    return [
      {
        what: 'waveform of 1 MB as a block, made a million numbers in volts, p50 / max',
        value: `${inMs(link.p50)} / ${inMs(link.max)}`,
        compared: `${times(link.p50, bare.p50)} the same from a net.Socket by a plain loop (${inMs(bare.p50)} / ${inMs(bare.max)})`,
      },
      {
        what: 'the same as a command through the whole stand, until its outcome, p50 / max',
        value: `${inMs(command?.p50 ?? NaN)} / ${inMs(command?.max ?? NaN)}`,
        compared: `${times(command?.p50 ?? NaN, link.p50)} the link alone`,
      },
      {
        what: 'its million numbers by GET /api/commands/:id/result as 64-bit floats (8 MB) / as JSON, p50',
        value: `${inMs(result?.p50 ?? NaN)} / ${inMs(json?.p50 ?? NaN)}`,
      },
      {
        what: `memory (PSS) before, and at most during the first and the second ${ROUNDS / 2} of them: worker; web`,
        value: byStand.memory.map((each) => `${each.map(Math.round).join(', ')} MB`).join('; '),
        aim: 'the second half adds nothing',
      },
    ]
  } finally {
    await scope.kill()
    dir.remove()
  }
}

/** The oscilloscope golem ships, with a memory of a million points at once. */
function deepScope(): string {
  const shipped = readFileSync(join(SHIPPED_MODELS, 'rigol-ds1000z.yaml'), 'utf8')
  return shipped.replace(/^model: .*$/m, `model: ${MODEL}`).replaceAll('max: 250000 ', `max: ${POINTS} `)
}

async function linkAgainstBare(port: string, file: string): Promise<{ golem: number[]; bare: number[] }> {
  const { model, faults } = readModelFile(file)
  const driver = model?.create({})
  if (driver?.transport !== 'line') throw new Error(`The model has faults: ${JSON.stringify(faults)}.`)
  const memory = driver.actions['memory']
  const endpoint = parseAddress(`tcp://127.0.0.1:${port}`)
  const link = openLink({ endpoint, guard: () => undefined })
  const channel = link.attach({ driver, endpoint })
  const bare = await bareScope(port)
  const took = { golem: [] as number[], bare: [] as number[] }
  try {
    const read = async (): Promise<void> => {
      const answer = await channel.run('command', async (io: LineIo): Promise<Value | void> =>
        memory?.run(io, ARGUMENTS),
      )
      if (!Array.isArray(answer) || answer.length !== POINTS) throw new Error('That is no waveform.')
    }
    for (let round = -3; round < ROUNDS; round += 1) {
      const [bareMs, golemMs] = [await timed(bare.read), await timed(read)]
      // The first ones warm up.
      if (round < 0) continue
      took.bare.push(bareMs)
      took.golem.push(golemMs)
    }
    return took
  } finally {
    bare.close()
    await link.close()
  }
}

async function bareScope(port: string): Promise<{ read: () => Promise<void>; close: () => void }> {
  const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true })
  await once(socket, 'connect')
  socket.write(`:WAV:MODE RAW\n:WAV:STOP ${POINTS}\n`)
  let pieces: Buffer[] = []
  let left = 0
  let whole: (() => void) | undefined
  socket.on('data', (bytes) => {
    pieces.push(bytes)
    left -= bytes.length
    if (left === 0) whole?.()
  })
  return {
    read: async () => {
      pieces = []
      left = ANSWER_BYTES
      const came = new Promise<void>((resolve) => (whole = resolve))
      socket.write(':WAV:DATA?\n')
      await came
      const volts: number[] = []
      for (const byte of Buffer.concat(pieces).subarray(11, -1)) volts.push((byte - 127) * 0.02)
      if (volts.length !== POINTS) throw new Error('That is no waveform.')
    },
    close: () => void socket.destroy(),
  }
}

/** The same by worker, Redis and web process. */
async function throughStand(port: string): Promise<{
  command: number[]
  f64: number[]
  json: number[]
  /** Of worker and web, each before, and the most after a round of the first and of the second half. */
  memory: number[][]
}> {
  const stand = await startStand({
    workers: 0,
    webs: 0,
    devices: [],
    pollEveryMs: 1000,
    instruments: () => [{ id: 'scope', model: MODEL, address: `tcp://127.0.0.1:${port}` }],
  })
  try {
    const models = join(stand.dir, 'models')
    mkdirSync(models)
    writeFileSync(join(models, 'scope.yaml'), deepScope())
    const processes = [await stand.addWorker(), await stand.addWeb()]
    await stand.until('scope', ({ condition }) => condition === 'ok', 'the oscilloscope answers')
    const memory: number[][] = processes.map(({ pid }) => [pssMb(pid), 0, 0])
    const took = { command: [] as number[], f64: [] as number[], json: [] as number[] }
    for (let round = 0; round < ROUNDS; round += 1) {
      let id = ''
      took.command.push(
        await timed(async () => {
          const { body } = await stand.command(
            'scope',
            { action: 'memory', arguments: ARGUMENTS },
            { wait: 30 },
          )
          if (body.resultItems !== POINTS) throw new Error(`That is no waveform: ${JSON.stringify(body)}.`)
          id = body.id
        }),
      )
      const fetchAs = (format: string) => async (): Promise<void> => {
        const answer = await fetch(`${stand.url()}/api/commands/${id}/result?format=${format}`)
        const bytes = await answer.arrayBuffer()
        if (!answer.ok || bytes.byteLength < POINTS)
          throw new Error(`The result is not there: ${answer.status}.`)
      }
      took.f64.push(await timed(fetchAs('f64')))
      took.json.push(await timed(fetchAs('json')))
      const half = round < ROUNDS / 2 ? 1 : 2
      for (const [index, { pid }] of processes.entries()) {
        const found = memory[index] ?? []
        found[half] = Math.max(found[half] ?? 0, pssMb(pid))
      }
    }
    return { ...took, memory }
  } finally {
    await stand.close()
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
