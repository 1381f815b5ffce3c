import { LONGEST_MS, SHORTEST_MS } from './address.ts'
import type { View } from './lines.ts'

/** The wheel has ended when it has been quiet for so long, in ms. */
const WHEEL_ENDS_MS = 250
/** One notch of a mouse wheel. */
const WHEEL_FACTOR = 1.25

/** A view stretched around a time. @param factor - above 1: more is seen */
export function zoomed({ from, to }: View, around: number, factor: number): View {
  const span = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (to - from) * factor))
  const share = (around - from) / (to - from)
  return { from: around - share * span, to: around + (1 - share) * span }
}

interface Surface {
  /** The area of the plot. */
  element: HTMLElement
  view: () => View
  /** Moves the plot. @param isFinal - nothing more comes of this gesture */
  move: (view: View, isFinal: boolean) => void
}

/** Wheel: zoom, sideways: pan. One finger, or Shift and mouse: pan. Two fingers: zoom. @returns ends it */
export function followGestures({ element, view, move }: Surface): () => void {
  const fingers = new Map<number, number>()
  let wheelTimer: ReturnType<typeof setTimeout> | undefined
  let begun: { view: View; at: number; apart: number } | null = null
  const timeAt = (clientX: number, { from, to }: View): number => {
    const { left, width } = element.getBoundingClientRect()
    return from + ((clientX - left) / Math.max(1, width)) * (to - from)
  }
  const hold = (): void => {
    const places = [...fingers.values()]
    const [a = 0, b = a] = places
    begun =
      places.length === 0
        ? null
        : { view: view(), at: timeAt((a + b) / 2, view()), apart: Math.max(20, Math.abs(a - b)) }
  }
  const onWheel = (event: WheelEvent): void => {
    event.preventDefault()
    const now = view()
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY)
    const shift = ((event.deltaX / Math.max(1, element.clientWidth)) * (now.to - now.from)) / 2
    const notches = Math.max(-4, Math.min(4, event.deltaY / (event.deltaMode === 0 ? 100 : 3)))
    const next = sideways
      ? { from: now.from + shift, to: now.to + shift }
      : zoomed(now, timeAt(event.clientX, now), WHEEL_FACTOR ** notches)
    move(next, false)
    clearTimeout(wheelTimer)
    wheelTimer = setTimeout(() => move(next, true), WHEEL_ENDS_MS)
  }
  const onDown = (event: PointerEvent): void => {
    if (event.pointerType === 'mouse' && !event.shiftKey) return
    fingers.set(event.pointerId, event.clientX)
    element.setPointerCapture(event.pointerId)
    hold()
  }
  const onMove = (event: PointerEvent): void => {
    if (!begun || !fingers.has(event.pointerId)) return
    fingers.set(event.pointerId, event.clientX)
    move(moved(begun, [...fingers.values()]), false)
  }
  const onUp = (event: PointerEvent): void => {
    if (!begun || !fingers.has(event.pointerId)) return
    const last = moved(begun, [...fingers.values()])
    fingers.delete(event.pointerId)
    hold()
    if (fingers.size === 0) move(last, true)
  }
  const moved = (from: NonNullable<typeof begun>, places: readonly number[]): View => {
    const [a = 0, b = a] = places
    const factor = places.length > 1 ? from.apart / Math.max(20, Math.abs(a - b)) : 1
    const stretched = zoomed(from.view, from.at, factor)
    const shift = from.at - timeAt((a + b) / 2, stretched)
    return { from: stretched.from + shift, to: stretched.to + shift }
  }
  element.addEventListener('wheel', onWheel, { passive: false })
  element.addEventListener('pointerdown', onDown)
  element.addEventListener('pointermove', onMove)
  element.addEventListener('pointerup', onUp)
  element.addEventListener('pointercancel', onUp)
  return () => {
    clearTimeout(wheelTimer)
    element.removeEventListener('wheel', onWheel)
    element.removeEventListener('pointerdown', onDown)
    element.removeEventListener('pointermove', onMove)
    element.removeEventListener('pointerup', onUp)
    element.removeEventListener('pointercancel', onUp)
  }
}
