import { type RunArchive, runArchive } from '@golem/archive'
import { GolemError } from '@golem/core'
import type { FastifyInstance } from 'fastify'
import type { WebContext } from '../context.ts'
import { clip } from '../problem.ts'
import { answers, idParams, noQuery } from '../schemas.ts'
import { runArchiveAnswer } from './export-schemas.ts'

/** What the archive keeps of a run, also of one that the site has long forgotten. */
export function runArchiveRoutes(app: FastifyInstance, { archive }: WebContext): void {
  app.get<{ Params: { id: string } }>(
    '/api/runs/:id/archive',
    {
      schema: {
        summary:
          'A run with the descriptions it depended on, as the archive has them: the bones of its bundle',
        tags: ['archive'],
        params: idParams,
        querystring: noQuery,
        response: answers({ 200: { description: 'The run', ...runArchiveAnswer } }),
      },
    },
    async ({ params: { id } }): Promise<RunArchive> => {
      const found = await archive.use((database) => runArchive(database, id))
      if (found) return found
      throw new GolemError(
        'NOT_FOUND',
        `The archive has no run "${clip(id)}". A run that has just begun is there within a moment.`,
        { field: 'path.id' },
      )
    },
  )
}
