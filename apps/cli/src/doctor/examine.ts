import { existsSync } from 'node:fs'
import path from 'node:path'
import { loadSite, type Site } from '@golem/config'
import { messageOf } from '@golem/core'
import {
  type CommonOptions,
  type Context,
  GOLEM_ROOT,
  instanceDirOf,
  readRunning,
  siteFileOf,
} from '../context.ts'
import { tryListen } from '../up/free-port.ts'
import { examineArchive } from './archive.ts'
import { examineClock, examineDisk, examineServices } from './machine.ts'
import { type Finding, fault, ok, warning } from './finding.ts'
import { examineRedis } from './redis.ts'
import { examineSerial } from './serial.ts'

/** The oldest Node that golem runs on. */
const OLDEST_NODE = [20, 19] as const

/**
 * Looks at this machine. One check that breaks does not keep the others from being made.
 *
 * @returns what was found, in the order it is worth reading
 */
export async function examine(context: Context, options: CommonOptions): Promise<Finding[]> {
  const file = existsSync(siteFileOf(context, options)) ? siteFileOf(context, options) : demoFile()
  const instanceDir = instanceDirOf(context, file)
  const { site, finding } = loadForDoctor(context, file)
  const checks: [string, () => Finding[] | Promise<Finding[]>][] = [
    ['Node', () => [examineNode(process.versions.node)]],
    ['packages', () => [examinePackages(GOLEM_ROOT)]],
    ['site file', () => [finding]],
    ['Redis', () => examineRedis(site?.redisUrl ?? null, instanceDir, context.env)],
    ['serial ports', () => examineSerial(site)],
    ['web port', async () => (site ? [await examineWebPort(site)] : [])],
    ['clock', () => examineClock()],
    ['disk', () => [examineDisk(instanceDir)]],
    ['archive', () => examineArchive(site)],
    ['services', () => examineServices()],
  ]
  const found = await Promise.all(
    checks.map(async ([subject, check]) => {
      try {
        return await check()
      } catch (error) {
        return [
          warning(
            subject,
            `could not be looked at: ${messageOf(error)}.`,
            'This may be a fault of golem: please report it.',
          ),
        ]
      }
    }),
  )
  return found.flat()
}

function demoFile(): string {
  return path.join(GOLEM_ROOT, 'instance', 'demo.yaml')
}

function loadForDoctor(context: Context, file: string): { site: Site | null; finding: Finding } {
  try {
    const site = loadSite(file, { env: context.env })
    return { site, finding: ok('site file', `${file}, ${site.instruments.length} instruments.`) }
  } catch (error) {
    return { site: null, finding: fault('site file', messageOf(error), '`golem check` shows all faults.') }
  }
}

/** @param version - as process.versions.node has it */
export function examineNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) {
    return ok('Node', `${version}.`)
  }
  return fault('Node', `${version} is too old.`, `golem needs ${OLDEST_NODE.join('.')} or newer.`)
}

/** Are the npm packages those of the lock file? @param root - the clone */
export function examinePackages(root: string): Finding {
  if (existsSync(path.join(root, 'node_modules', '.package-lock.json'))) {
    return ok('packages', `installed in ${path.join(root, 'node_modules')}.`)
  }
  return fault('packages', 'the npm packages are not installed.', 'Type `node deploy/setup.mjs build`.')
}

async function examineWebPort(site: Site): Promise<Finding> {
  const { listen, port, portFixed } = site.web
  const running = readRunning(site.instanceDir)
  if (running) return ok('web port', `golem runs at ${running.url}.`)
  const trouble = await tryListen(listen, port)
  if (trouble === null) return ok('web port', `${port} on ${listen} is free.`)
  if (trouble !== 'EADDRINUSE') {
    return fault(
      'web port',
      `cannot listen on ${listen}, port ${port} (${trouble}).`,
      'See "web" in the site file.',
    )
  }
  if (await answersAsGolem(`http://${listen}:${port}`))
    return ok('web port', `golem answers on ${listen}:${port}.`)
  const message = `${port} on ${listen} is taken by another program.`
  return portFixed
    ? fault(
        'web port',
        message,
        `\`ss -ltnp "sport = :${port}"\` shows which; or choose another one in web.port.`,
      )
    : warning(
        'web port',
        message,
        '`golem up` takes the next free one; web.port in the site file makes it stay the same.',
      )
}

async function answersAsGolem(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2000) })
    return response.ok
  } catch {
    // Whatever it is, it does not speak our HTTP: it is another program.
    return false
  }
}
