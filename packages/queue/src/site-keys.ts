import type { Connection } from './connection.ts'

/**
 * All keys under a site's root, some at a time; one that comes or goes meanwhile may be among them or not.
 *
 * @param root - `{golem:<site>}`
 */
export async function* siteKeys(redis: Connection, root: string): AsyncIterable<string[]> {
  const pattern = `${root.replaceAll(/[[\]*?\\]/g, String.raw`\$&`)}:*`
  for (const node of 'nodes' in redis ? redis.nodes('master') : [redis]) {
    let cursor = '0'
    do {
      const [next, found] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', 1000)
      if (found.length > 0) yield found
      cursor = next
    } while (cursor !== '0')
  }
}
