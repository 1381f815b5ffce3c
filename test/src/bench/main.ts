import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { measureDemoMemory } from './demo-memory.ts'
import { measureEmergencyStop } from './emergency-stop.ts'
import { type Figure, asTable } from './figures.ts'
import { measureGateway } from './gateway.ts'
import { measureModbus } from './modbus.ts'
import { measurePolls } from './polls.ts'
import { measureRoundTrip } from './round-trip.ts'
import { measureTransports } from './transports.ts'
import { measureVisible } from './visible.ts'
import { measureWorkerLoad } from './worker-load.ts'

// Measures this golem on this machine: `npm run bench`, or `npm run bench -- --only polls`. What it is compared with is
// measured in the same run, so that the ratios hold on a slower or busier machine too.

const MEASUREMENTS: Record<string, () => Promise<Figure[]>> = {
  'round-trip': measureRoundTrip,
  polls: measurePolls,
  'worker-load': measureWorkerLoad,
  'emergency-stop': measureEmergencyStop,
  transports: measureTransports,
  gateway: measureGateway,
  modbus: measureModbus,
  visible: measureVisible,
  'demo-memory': measureDemoMemory,
}

const { values: options } = parseArgs({ options: { only: { type: 'string' } } })
const wanted = Object.entries(MEASUREMENTS).filter(
  ([name]) => options.only === undefined || name === options.only,
)
if (wanted.length === 0) {
  console.error(
    `There is no measurement "${options.only}". There are: ${Object.keys(MEASUREMENTS).join(', ')}.`,
  )
  process.exit(2)
}
const figures: Figure[] = []
for (const [name, measure] of wanted) {
  console.error(`measuring ${name} ...`)
  figures.push(...(await measure()))
}
const [processor] = cpus()
console.log(`${cpus().length} cores, ${processor?.model ?? 'unknown'}; Node ${process.version}\n`)
console.log(asTable(figures))
