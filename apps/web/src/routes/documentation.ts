import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { answers, inWords } from '../schemas.ts'

/** The page loads its own scripts from this process; the styles inside its pictures and widgets are inline. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

/** The API in machine-readable form, and as a page that works without internet. */
export async function documentationRoutes(app: FastifyInstance): Promise<void> {
  app.get(
    '/api/openapi.json',
    {
      config: { open: true },
      schema: {
        summary: 'This document',
        tags: ['documentation'],
        response: answers({ 200: inWords('OpenAPI 3') }),
      },
    },
    () => app.swagger(),
  )

  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true }
    })
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: DOCS_POLICY,
      // Nothing outside is asked whether the document is valid.
      uiConfig: { validatorUrl: null, tryItOutEnabled: false },
    })
  })
}
