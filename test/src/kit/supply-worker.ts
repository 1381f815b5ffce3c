import { loadSite } from '@golem/config'
import { startWorker } from '@golem/worker'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import { supplyModel } from './supply-model.ts'

// A worker process whose only model is the test's supply: `supply-worker --site FILE --id NAME`.

const { values } = parseArgs({ options: { site: { type: 'string' }, id: { type: 'string' } } })
const models = new Map([[supplyModel.id, supplyModel]])
const site = loadSite(values.site ?? '', { models })
const worker = startWorker(site, {
  redisUrl: site.redisUrl ?? '',
  models,
  log: pino({ name: values.id ?? 'worker', level: 'info' }, pino.destination({ dest: 1, sync: true })),
  host: 'bench',
  ...(values.id === undefined ? {} : { id: values.id }),
})
process.on('SIGTERM', () => void worker.close().then(() => process.exit(0)))
process.on('disconnect', () => process.exit(1))
process.send?.({ ready: true })
