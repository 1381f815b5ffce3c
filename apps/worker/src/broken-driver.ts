import { ADDRESS_KINDS, type Address, type Driver, GolemError } from '@golem/core'
import type { Channel } from '@golem/transports'

/** What an instrument has whose driver, a file of the site, can't be used. */
export interface BrokenDriver {
  driver: Driver
  /** Sends nothing and takes no part in the link; whoever asks is told why. */
  channel: Channel
}

/**
 * Stands for a driver that could not be made.
 *
 * @param why - a sentence that names the file
 */
export function brokenDriver(endpoint: Address, why: string): BrokenDriver {
  const down = (): Promise<never> => Promise.reject(new GolemError('LINK_DOWN', why))
  const transports = Object.keys(ADDRESS_KINDS) as Driver['transport'][]
  const driver = {
    transport: transports.find((each) => ADDRESS_KINDS[each].includes(endpoint.kind)) ?? 'line',
    link: {},
    parameters: {},
    actions: {},
    identify: down,
    readAll: down,
  } as unknown as Driver
  return { driver, channel: { driver, run: down } }
}
