import type { Command } from 'commander'
import { existsSync } from 'node:fs'
import type { FoundDevice } from '@golem/discovery'
import { type CommonOptions, type Context, instanceDirOf, siteFileOf } from '../context.ts'
import { CliError } from '../exit-codes.ts'
import { printable, table } from '../format.ts'
import { withSite } from '../options.ts'
import { loadChosenSite } from '../site-file.ts'

interface DiscoverOptions extends CommonOptions {
  network?: string
  ask?: boolean
  seconds: string
  mdns: boolean
}

/** A found device with the models that know it. */
type Proposal = FoundDevice & { models: readonly string[] }

/** `golem discover`: what could be an instrument, and the lines for site.yaml. */
export function discover(program: Command, context: Context): Command {
  return withSite(program.command('discover'))
    .description('looks for instruments on this machine and in its network, and proposes lines for site.yaml')
    .option(
      '--network <range>',
      'look through these addresses too, private ones only, e.g. 192.168.1.0/24: SCPI sockets are asked *IDN?',
    )
    .option(
      '--ask',
      'ask serial ports and USBTMC instruments *IDN? as well (harmless for instruments with SCPI; others may take it for a command)',
    )
    .option('--seconds <n>', 'how long to listen for announcements (mDNS)', '3')
    .option('--no-mdns', 'do not listen for announcements')
    .addHelpText(
      'after',
      '\nExamples:\n  golem discover\n  golem discover --network 192.168.1.0/24\n  golem discover --ask --json',
    )
    .action(async (options: DiscoverOptions) => {
      const seconds = Number(options.seconds)
      if (!(seconds > 0 && seconds <= 60))
        throw new CliError('usage', '--seconds takes a number from 0 to 60.')
      const found = await look(context, options, seconds)
      if (options.json) {
        context.out(JSON.stringify({ devices: found }, null, 2))
        return
      }
      if (found.length === 0) {
        context.out(
          'Nothing was found. Is the cable in, and the instrument on? --network RANGE looks through a network.',
        )
        return
      }
      const rows = found.map(({ kind, address, label, note }) => [
        kind,
        address,
        printable(label),
        note ?? '',
      ])
      context.out(await table([['kind', 'address', 'what it is', 'note'], ...rows]))
      context.out(`\nFor site.yaml, under "instruments:" (choose ids, and models where none is known):\n`)
      context.out(linesFor(found))
    })
}

async function look(context: Context, options: DiscoverOptions, seconds: number): Promise<Proposal[]> {
  const { findAnnounced, findLocalDevices, hostsOf, scanHosts, unclaimed } = await import('@golem/discovery')
  const hosts = options.network === undefined ? [] : hostsOf(options.network)
  const [local, announced, scanned] = await Promise.all([
    findLocalDevices(),
    options.mdns ? findAnnounced({ forMs: seconds * 1000 }).catch(withoutAnnouncements(context)) : [],
    scanHosts(hosts),
  ])
  const all = [...local, ...announced, ...scanned].filter(
    ({ address }, index, list) => list.findIndex((other) => other.address === address) === index,
  )
  const file = siteFileOf(context, options)
  const known = existsSync(file) ? (await loadChosenSite(context, options)).instruments : []
  const left = await unclaimed(
    all,
    known.map(({ endpoint }) => endpoint),
  )
  return Promise.all(
    (await asked(left, options.ask === true)).map((device) => withModels(context, options, device)),
  )
}

/** A machine without a network can't listen; what hangs on its own ports is shown all the same. */
function withoutAnnouncements(context: Context): (error: Error) => FoundDevice[] {
  return (error) => {
    context.err(`Announcements in the network could not be listened for: ${error.message}`)
    return []
  }
}

/** One after the other: two questions on one adapter would disturb each other. */
async function asked(devices: readonly FoundDevice[], askLocal: boolean): Promise<FoundDevice[]> {
  const { askIdentity } = await import('@golem/discovery')
  const answered: FoundDevice[] = []
  for (const device of devices) {
    const local = device.kind === 'serial' || device.kind === 'usbtmc'
    const may = device.idn === undefined && (device.kind === 'lxi' || (local && askLocal))
    const idn = may ? await askIdentity(device.address) : null
    answered.push(idn === null ? device : { ...device, idn, label: idn })
  }
  return answered
}

async function withModels(
  context: Context,
  options: DiscoverOptions,
  device: FoundDevice,
): Promise<Proposal> {
  if (device.kind === 'esphome') return { ...device, models: ['esphome'] }
  if (device.kind === 'hid') return { ...device, models: ['tc420'] }
  if (device.idn === undefined) return { ...device, models: [] }
  const { modelsThatKnow } = await import('@golem/discovery')
  const { loadModels } = await import('@golem/drivers')
  const loaded = await loadModels(instanceDirOf(context, siteFileOf(context, options)))
  try {
    return { ...device, models: await modelsThatKnow(device.idn, loaded.models.values()) }
  } finally {
    await loaded.close()
  }
}

/** Lines of YAML; text of a device goes into comments only, and without line breaks. */
function linesFor(found: readonly Proposal[]): string {
  return found
    .map(({ address, label, models, kind }, index) =>
      [
        `  - id: ${kind}-${index + 1} # ${printable(label).replaceAll(/[\r\n]/g, ' ')}`,
        `    model: ${models[0] ?? 'MODEL'}${models.length > 1 ? ` # or ${models.slice(1).join(', ')}` : ''}`,
        `    address: ${JSON.stringify(address)}`,
      ].join('\n'),
    )
    .join('\n')
}
