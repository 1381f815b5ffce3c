import type { Api } from '../api.ts'

/**
 * Has the browser save the readings of some series as CSV, each as it was stored. The file may be larger than the page's
 * memory, so it is the browser that fetches it; it can't send a token, for which a ticket stands.
 *
 * @param span - ms since 1970, the end not included
 */
export async function saveReadings(
  api: Api,
  series: readonly string[],
  span: { from: number; to: number },
): Promise<void> {
  const time = (ms: number): string => new Date(Math.round(ms)).toISOString()
  const query = new URLSearchParams({
    series: series.join(','),
    from: time(span.from),
    to: time(span.to),
    ticket: await api.ticket(),
  })
  const link = document.createElement('a')
  link.href = api.address(`api/export?${query.toString()}`)
  // The answer says what it is called.
  link.download = ''
  link.click()
}
