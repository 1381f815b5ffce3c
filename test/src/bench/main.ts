import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { measureAlarms } from './alarms.ts'
import { measureArchiveIn } from './archive-in.ts'
import { measureDemoMemory } from './demo-memory.ts'
import { measureEmergencyStop } from './emergency-stop.ts'
import { measureExport } from './export.ts'
import { type Figure, asTable } from './figures.ts'
import { measureGateway } from './gateway.ts'
import { measureHistory } from './history.ts'
import { measureInterlock } from './interlock.ts'
import { measureModbus } from './modbus.ts'
import { measurePolls } from './polls.ts'
import { measurePush } from './push.ts'
import { measureRoundTrip } from './round-trip.ts'
import { measureRuns } from './runs.ts'
import { measureStreams } from './streams.ts'
import { measureTransports } from './transports.ts'
import { measureVisible } from './visible.ts'
import { measureWaveform } from './waveform.ts'
import { measureWorkerLoad } from './worker-load.ts'

// Measures this golem on this machine: `npm run bench`, or `npm run bench -- polls streams`. What it is compared with is
// measured in the same run, so that the ratios hold on a slower or busier machine too.

const MEASUREMENTS: Record<string, () => Promise<Figure[]>> = {
  'round-trip': measureRoundTrip,
  polls: measurePolls,
  push: measurePush,
  'worker-load': measureWorkerLoad,
  'emergency-stop': measureEmergencyStop,
  interlock: measureInterlock,
  transports: measureTransports,
  gateway: measureGateway,
  modbus: measureModbus,
  streams: measureStreams,
  waveform: measureWaveform,
  export: measureExport,
  visible: measureVisible,
  alarms: measureAlarms,
  runs: measureRuns,
  'archive-in': measureArchiveIn,
  history: measureHistory,
  'demo-memory': measureDemoMemory,
}

const { positionals: names } = parseArgs({ allowPositionals: true })
const unknown = names.find((name) => !Object.hasOwn(MEASUREMENTS, name))
if (unknown !== undefined) {
  console.error(`There is no measurement "${unknown}". There are: ${Object.keys(MEASUREMENTS).join(', ')}.`)
  process.exit(2)
}
const wanted = Object.entries(MEASUREMENTS).filter(([name]) => names.length === 0 || names.includes(name))
const figures: Figure[] = []
for (const [name, measure] of wanted) {
  console.error(`measuring ${name} ...`)
  figures.push(...(await measure()))
}
const [processor] = cpus()
console.log(`${cpus().length} cores, ${processor?.model ?? 'unknown'}; Node ${process.version}\n`)
console.log(asTable(figures))
