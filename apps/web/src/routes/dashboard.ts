import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const NOT_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>golem</title></head>
<body><h1>The dashboard has not been built</h1>
<p>The web process runs, and its API answers (<a href="/docs">/docs</a>). To get the page, run
<code>npm run build</code> in golem's folder and start the web process again.</p></body></html>
`

/** The page and its assets. Without an `index.html` in the folder it says what to do. */
export async function dashboardRoutes(app: FastifyInstance, assetsDir: string): Promise<void> {
  if (!existsSync(join(assetsDir, 'index.html'))) {
    app.get('/', { config: { open: true }, schema: { hide: true } }, (_request, reply) =>
      reply
        .code(503)
        .header('content-type', 'text/html; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(NOT_BUILT),
    )
    return
  }
  await app.register(async (assets) => {
    assets.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true }
      route.schema = { hide: true }
    })
    await assets.register(fastifyStatic, {
      root: assetsDir,
      index: ['index.html'],
      cacheControl: false,
      setHeaders: (response, path) => {
        // The build puts a digest into the names below assets/: what has such a name never changes.
        const lasting = path.startsWith(join(assetsDir, 'assets'))
        response.header('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache')
      },
    })
  })
}
