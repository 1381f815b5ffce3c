import { fileURLToPath } from 'node:url'

/** The top of the project. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
