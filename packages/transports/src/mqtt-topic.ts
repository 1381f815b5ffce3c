import { TOPIC_PLACE } from '@golem/core'

/** A topic of the broker as the driver knows it, that took it by this filter of its own. */
export function topicOfDriver(base: string, filter: string, topic: string): string {
  if (!/[+#]/.test(filter)) return filter
  if (filter.includes(TOPIC_PLACE) || base === '') return topic
  return topic.slice(base.length + 1)
}

/** Does a topic pass a filter? + stands for one level, # at the end for all that follow, also none. */
export function passes(filter: string, topic: string): boolean {
  const levels = topic.split('/')
  const wanted = filter.split('/')
  // Topics of the broker itself ($SYS) are not meant by a wildcard at the beginning.
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false
  }
  return levels.length === wanted.length
}
