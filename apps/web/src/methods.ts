import { GolemError } from '@golem/core'
import type { FastifyInstance, HTTPMethods } from 'fastify'

/** The methods of each path of the API, e.g. `/api/commands/:id` -> GET, HEAD, DELETE. */
export type ApiRoutes = ReadonlyMap<string, ReadonlySet<HTTPMethods>>

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Keeps a table of the routes that are added from now on; hidden ones (static files, /docs) are left out. */
export function collectRoutes(app: FastifyInstance): ApiRoutes {
  const routes = new Map<string, Set<HTTPMethods>>()
  app.addHook('onRoute', ({ url, method, schema }) => {
    if ((schema as { hide?: boolean } | undefined)?.hide) return
    const methods = routes.get(url) ?? new Set()
    for (const one of [method].flat()) methods.add(one)
    routes.set(url, methods)
  })
  return routes
}

/** Answers 405 with `Allow` where a path exists and the method does not. Call it after the last route. */
export function refuseOtherMethods(app: FastifyInstance, routes: ApiRoutes): void {
  for (const [url, methods] of routes) {
    const others = METHODS.filter((method) => !methods.has(method))
    const allow = [...methods].join(', ')
    const refuse = (): never => {
      throw new GolemError('METHOD_NOT_ALLOWED', `Use ${allow} here.`, {
        field: 'method',
        details: { allow },
      })
    }
    // In a hook, so that a body is not even looked at.
    app.route({
      method: others,
      url,
      schema: { hide: true },
      exposeHeadRoute: false,
      onRequest: refuse,
      handler: refuse,
    })
  }
}
