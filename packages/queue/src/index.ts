export { type AdminOptions, clearQueue, initDb } from './admin.ts'
export { ArchiveClient, type ArchiveClientOptions, type HappenedEvents } from './archive-client.ts'
export * from './api.ts'
export { SiteClock } from './clock.ts'
export { type Connection, connect, disconnect, withoutPassword } from './connection.ts'
export type { Consumer } from './consume.ts'
export { keysOf, type RecordTable } from './keys.ts'
export type { EventPage, EventQuery, LogLine, NewEvent } from './events.ts'
export { type DumpLine, dumpSite, loadDump, runningWorkers } from './dump.ts'
export { InterlockFeed } from './interlocks.ts'
export type { LeaseKeeper, RedisLife } from './leases.ts'
export * from './scheduler-client.ts'
export { type KnownReservations, reservationsFrom } from './reservation-records.ts'
export { commandRefusedBy } from './reservation-refusals.ts'
export {
  type BookRequest,
  type GiveBackRequest,
  type Reservations,
  type ReserveRequest,
} from './reservations.ts'
export { type SiteClientOptions, commandIdFor, openSiteClient } from './site-client.ts'
export type { NumberedSample, ReceivedSample } from './samples.ts'
export { untilConnected } from './until-connected.ts'
export {
  type Begin,
  type ControlMessage,
  WorkerClient,
  type WorkerClientOptions,
  outcomeOf,
  unknownOutcome,
} from './worker-client.ts'
