/** Names longer than this are not compared: nobody mistypes a whole paragraph. */
const LONGEST = 64

/**
 * A question to append to "there is no such name": `Did you mean "relay0"?`, or what there is.
 *
 * @param wrong - what was written
 * @param known - what would have been right
 * @returns a sentence that begins with a space
 */
export function didYouMean(wrong: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const close = closest(wrong, known)
  if (close !== undefined) return ` Did you mean "${close}"?`
  const shown = known.slice(0, 30)
  return ` There is: ${shown.join(', ')}${shown.length < known.length ? ', …' : ''}.`
}

function closest(wrong: string, known: readonly string[]): string | undefined {
  if (wrong.length > LONGEST) return undefined
  const tolerated = Math.max(1, Math.floor(wrong.length / 3))
  let best: string | undefined
  let least = tolerated + 1
  for (const name of known) {
    const distance = editDistance(wrong.toLowerCase(), name.toLowerCase())
    if (distance < least) {
      least = distance
      best = name
    }
  }
  return best
}

/** How many letters have to be inserted, left out, replaced or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      next.push(cost)
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
