/** Stands in a topic for that of the instrument's address, when that does not go before everything. */
export const TOPIC_PLACE = '{topic}'

/** A topic or filter of a driver as the broker knows it. @param base - the topic of the address, '' for none */
export function fullTopic(base: string, topic: string): string {
  if (topic.includes(TOPIC_PLACE)) return topic.replaceAll(TOPIC_PLACE, base)
  return base === '' ? topic : `${base}/${topic}`
}
