const FORMS =
  'redis://host:6379, rediss://host:6379 (TLS), unix:///path/to/redis.sock, sentinel://host:26379,host:26379/group or cluster://host:6379,host:6379'

/**
 * What is wrong with the address of a Redis.
 *
 * @returns a sentence without the address itself, which may hold a password; null when it is well formed
 */
export function redisUrlFault(text: string): string | null {
  const why = wrongPart(text)
  return why === null ? null : `This is no address of a Redis: ${why}. Write ${FORMS}.`
}

function wrongPart(text: string): string | null {
  if (/\s/.test(text)) return 'it has a space in it'
  const [, scheme, rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? []
  switch (scheme) {
    case 'unix':
      return /^\/[^?#]+$/.test(rest) ? null : 'the path of a socket begins with /, which makes three slashes'
    case 'redis':
    case 'rediss':
      return oneNode(rest)
    case 'sentinel':
    case 'cluster':
      return manyNodes(rest, scheme)
    case undefined:
      return 'it does not begin with redis://'
    default:
      return `"${scheme}://" is not known`
  }
}

function oneNode(rest: string): string | null {
  if (rest.includes(',')) return 'several addresses are written as cluster:// or sentinel://'
  // The URL class takes ports and brackets apart for http, and knows nothing of redis.
  if (!URL.canParse(`http://${rest}`)) return 'host or port are not understood'
  const { hash, pathname, search } = new URL(`http://${rest}`)
  if (hash || search) return 'it has a query or fragment'
  return /^\/(\d{1,4})?$/.test(pathname) ? null : 'behind the host only the number of a database may follow'
}

function manyNodes(rest: string, scheme: 'sentinel' | 'cluster'): string | null {
  const [, list, group] = /^(?:[^@/]*@)?([^@/]+)(?:\/([\w.-]+))?$/.exec(rest) ?? []
  if (list === undefined) return 'hosts are missing, or what follows them is no name'
  if (scheme === 'cluster' && group !== undefined) return 'a cluster has no database and no group'
  const wrong = list.split(',').some((node) => !/^[\w.-]+(:\d{1,5})?$/.test(node))
  return wrong ? 'a host or port is not understood' : null
}

/** Does an address of a Redis hold a password? */
export function hasRedisPassword(text: string): boolean {
  return text.includes('@')
}
