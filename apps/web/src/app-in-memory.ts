import type { FastifyInstance, InjectOptions } from 'fastify'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pino } from 'pino'
import { buildApp } from './app.ts'
import { InMemoryClient, descriptionOf, siteOf, snapshotOf } from './in-memory-site.ts'
import type { ProblemDocument } from './problem.ts'
import type { PushLimits } from './push/hub.ts'

export const COMMANDS = '/api/instruments/relay-1/commands'
export const JSON_TYPE = { 'content-type': 'application/json' }

/**
 * The application before an in-memory site, without a port.
 *
 * @param t - the test after which it ends, or the `after` of a whole file
 * @param assets - files of the dashboard
 * @param push - limits of those who follow the state
 */
export async function open(
  t: { after: (end: () => Promise<void>) => void },
  web = {},
  assets: Record<string, string> = {},
  push: PushLimits = {},
): Promise<{ app: FastifyInstance; client: InMemoryClient }> {
  const client = new InMemoryClient()
  client.view.descriptions.set('relay-1', descriptionOf('relay-1'))
  client.view.beat('worker-1')
  client.view.publish(snapshotOf('relay-1', client.view.timeMs))
  const assetsDir = mkdtempSync(join(tmpdir(), 'golem-web-'))
  for (const [name, content] of Object.entries(assets)) {
    mkdirSync(dirname(join(assetsDir, name)), { recursive: true })
    writeFileSync(join(assetsDir, name), content)
  }
  const log = pino({ level: 'silent' })
  const app = await buildApp({ site: siteOf(['relay-1', 'relay-2'], web), client, assetsDir, log, push })
  t.after(async () => {
    await app.close()
    rmSync(assetsDir, { recursive: true })
  })
  return { app, client }
}

/** The problem document of an answer. */
export function problemIn(body: string, type: unknown): ProblemDocument {
  assert.match(String(type), /^application\/problem\+json/)
  const problem = JSON.parse(body) as ProblemDocument
  assert.match(problem.type, /^urn:golem:error:[A-Z_]+$/)
  assert.ok(problem.title && problem.detail)
  return problem
}

/** Status, code and field of the problem document that a request gets */
export async function fault(app: FastifyInstance, request: InjectOptions): Promise<unknown[]> {
  const response = await app.inject(request)
  const { status, code, field } = problemIn(response.body, response.headers['content-type'])
  assert.equal(response.statusCode, status)
  return [status, code, field]
}

/** A command for relay-1. */
export const post = (payload: unknown, headers: Record<string, string> = {}): InjectOptions => ({
  method: 'POST',
  url: COMMANDS,
  headers: { ...JSON_TYPE, ...headers },
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
})

export const GOOD = { parameter: 'relay0', value: true }
