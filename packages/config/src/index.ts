export { AccessList, LOOPBACK, placeOf, plainAddress } from './access-list.ts'
export { isLoopback } from './check-web.ts'
export { describeInstrument, describeParameter } from './describe.ts'
export { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts'
export {
  type Environment,
  type LogLevel,
  LOG_LEVELS,
  readEnvironment,
  type Variables,
} from './environment.ts'
export { calibrationSchema } from './calibrations-schema.ts'
export { checkSchema, type SchemaFault } from './check-schema.ts'
export { instanceDirOf, loadSite, type LoadSiteOptions } from './load-site.ts'
export { describeFault, type Fault, SiteFaults } from './site-faults.ts'
export { siteSchema } from './site-schema.ts'
export { readSecretFile } from './secret.ts'
export { selfDescription } from './self-description.ts'
export * from './site.ts'
export { VERSION } from './version.ts'
export type { DayPattern, ScheduleConfig, When } from './check-schedules.ts'
export { hashToken, newToken, tokenMatches } from './token.ts'
export { configurationChange, configurationDigests } from './configuration.ts'
export { withPriorities } from './journal.ts'
export { runAsService } from './service.ts'
export { didYouMean } from './did-you-mean.ts'
export { clip } from './in-words.ts'
export { worstCases } from './worst-case.ts'
export { formatPath, parseYamlSource, type Path, readYamlSource, type YamlSource } from './yaml-source.ts'
export { yamlFilesIn } from './yaml-files.ts'
