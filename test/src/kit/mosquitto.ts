import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { eventually } from './eventually.ts'
import { makeTempDir } from './temp.ts'

const run = promisify(execFile)

/** The real broker, as a process of the test's own. */
export interface Mosquitto {
  readonly port: number
  /** `mqtt://127.0.0.1:port` */
  readonly url: string
  /** Publishes by mosquitto_pub, QoS 1. */
  publish(topic: string, payload: string, options?: { retain?: boolean }): Promise<void>
  /** Publishes many, each line a message, by one mosquitto_pub. */
  publishLines(topic: string, lines: readonly string[]): Promise<void>
  /** Listens by mosquitto_sub, from now on. */
  listen(filter: string): Promise<Listener>
  /** A client with a last will; `kill` it, and the broker tells the will. */
  withWill(topic: string, will: string): Promise<{ kill(): void }>
  /** kill -9 */
  kill(): Promise<void>
  start(): Promise<void>
  /** SIGSTOP: connections stay open, nothing answers. */
  freeze(): void
  resume(): void
  close(): Promise<void>
}

export interface Listener {
  /** What came, oldest first. */
  readonly messages: { topic: string; payload: string }[]
  close(): void
}

/** Debian puts the broker where only root looks for programs. */
const BROKER = '/usr/sbin/mosquitto'

/**
 * Starts a broker that keeps nothing on disk.
 *
 * @param auth - the only user it takes; without it anybody is welcome
 * @param settings - further lines of mosquitto.conf
 */
export async function startMosquitto(
  auth?: { user: string; password: string },
  settings: readonly string[] = [],
): Promise<Mosquitto> {
  const dir = makeTempDir('golem-mqtt')
  const config = join(dir.path, 'mosquitto.conf')
  const passwords = join(dir.path, 'passwords')
  const port = await freePort()
  const children = new Set<ChildProcess>()
  let broker: ChildProcess | undefined
  if (auth) await run('mosquitto_passwd', ['-b', '-c', passwords, auth.user, auth.password])
  writeFileSync(
    config,
    [
      `listener ${port} 127.0.0.1`,
      'persistence false',
      'user root',
      ...(auth ? ['allow_anonymous false', `password_file ${passwords}`] : ['allow_anonymous true']),
      ...settings,
      '',
    ].join('\n'),
  )
  const client = [
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    ...(auth ? ['-u', auth.user, '-P', auth.password] : []),
  ]
  const spawnClient = (program: string, args: readonly string[]): ChildProcess => {
    const child = spawn(program, [...client, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }
  const publish = async (
    topic: string,
    payload: string,
    { retain = false }: { retain?: boolean } = {},
  ): Promise<void> => {
    const child = spawnClient('mosquitto_pub', ['-q', '1', '-t', topic, '-s', ...(retain ? ['-r'] : [])])
    child.stdin?.end(payload)
    await ended(child, `mosquitto_pub ${topic}`)
  }
  const start = async (): Promise<void> => {
    const child = spawn(BROKER, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] })
    broker = child
    let output = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000)
    })
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`mosquitto ended: ${output}`)
        await publish('kit/ready', '1')
        return true
      },
      { what: `mosquitto answers on port ${port}` },
    )
  }
  const kill = async (): Promise<void> => {
    const child = broker
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  const listen = async (filter: string): Promise<Listener> => {
    const child = spawnClient('mosquitto_sub', [
      '-q',
      '1',
      '-R',
      '-F',
      '%t\\t%p',
      '-t',
      filter,
      '-t',
      'kit/listening',
    ])
    const messages: Listener['messages'] = []
    let listening = false
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [topic = '', ...rest] = line.split('\t')
        if (topic === 'kit/listening') listening = true
        else messages.push({ topic, payload: rest.join('\t') })
      })
    }
    await eventually(
      async () => {
        if (!listening) await publish('kit/listening', '1')
        return listening
      },
      { what: `mosquitto_sub listens to ${filter}`, everyMs: 50 },
    )
    return { messages, close: () => void child.kill('SIGKILL') }
  }

  await start()
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    publish,
    async publishLines(topic, lines) {
      const child = spawnClient('mosquitto_pub', ['-q', '1', '-t', topic, '-l'])
      child.stdin?.end(`${lines.join('\n')}\n`)
      await ended(child, `mosquitto_pub ${topic}`)
    },
    listen,
    async withWill(topic, will) {
      const name = `kit/will/${topic}`
      const child = spawnClient('mosquitto_sub', [
        '-q',
        '1',
        '-t',
        name,
        '--will-topic',
        topic,
        '--will-payload',
        will,
        '--will-retain',
        '--will-qos',
        '1',
      ])
      let heard = false
      child.stdout?.on('data', () => {
        heard = true
      })
      await eventually(
        async () => {
          if (!heard) await publish(name, '1')
          return heard
        },
        { what: `a client with a last will at ${topic} is connected`, everyMs: 50 },
      )
      return { kill: () => void child.kill('SIGKILL') }
    },
    kill,
    start,
    freeze: () => void broker?.kill('SIGSTOP'),
    resume: () => void broker?.kill('SIGCONT'),
    async close() {
      for (const child of children) child.kill('SIGKILL')
      await kill()
      dir.remove()
    },
  }
}

function ended(child: ChildProcess, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    child.stderr?.on('data', (text: Buffer) => {
      output += text.toString()
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${what} ended with code ${code}: ${output}`))
    })
  })
}

/** A port of 127.0.0.1 that nobody uses just now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
