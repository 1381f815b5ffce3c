import { useEffect, useState } from 'preact/hooks'
import { formatAddress, parseAddress, type PlotAddress } from '../plots/address.ts'

/** What the address bar says a plot shows. */
interface Navigation {
  address: PlotAddress
  /** Shows something else; the browser's own "back" comes back to what is shown now. */
  navigate: (next: PlotAddress) => void
  /** What was shown before; null: nothing. */
  back: (() => void) | null
}

/** The address of a plot is the page's own, so that it can be shared, kept and gone back from. */
export function usePlotAddress(): Navigation {
  const [hash, setHash] = useState(() => location.hash)
  const [past, setPast] = useState<readonly string[]>([])
  useEffect(() => {
    const changed = (): void => setHash(location.hash)
    globalThis.addEventListener('hashchange', changed)
    return () => globalThis.removeEventListener('hashchange', changed)
  }, [])
  const go = (next: string): void => {
    location.hash = next
    setHash(next)
  }
  const before = past.at(-1)
  return {
    address: parseAddress(hash),
    navigate: (next) => {
      const text = formatAddress(next)
      if (text === hash) return
      setPast([...past, hash])
      go(text)
    },
    back:
      before === undefined
        ? null
        : () => {
            setPast(past.slice(0, -1))
            go(before)
          },
  }
}
