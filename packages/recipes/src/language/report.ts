import type { Path } from '@golem/config'

/** Notes a fault: where in the file, what is wrong and what to do, and whether it is about a key or its value. */
export type Report = (path: Path, message: string, at?: 'key' | 'value') => void
