import type { Palette } from './chart-model.ts'

/** What stands beside the picture. */
export interface PngText {
  title: string
  /** One line for each series, with the number of its colour. */
  lines: readonly { text: string; colour: number; isDashed: boolean }[]
  foot: string
}

const PAD = 16
const ROW = 20

/** The plot as a picture that explains itself, as large as it is on the screen. */
export function pngOf(
  canvas: HTMLCanvasElement,
  { title, lines, foot }: PngText,
  palette: Palette,
): Promise<Blob> {
  const ratio = devicePixelRatio
  const [pad, row] = [PAD * ratio, ROW * ratio]
  const picture = document.createElement('canvas')
  const head = pad + row * (1 + lines.length) + pad / 2
  picture.width = canvas.width + 2 * pad
  picture.height = head + canvas.height + row + pad
  const ctx = picture.getContext('2d')
  if (!ctx) throw new Error('this browser draws no pictures')
  ctx.fillStyle = palette.card
  ctx.fillRect(0, 0, picture.width, picture.height)
  ctx.textBaseline = 'middle'
  ctx.fillStyle = palette.text
  ctx.font = `600 ${14 * ratio}px system-ui, sans-serif`
  ctx.fillText(title, pad, pad + row / 2)
  ctx.font = `${12 * ratio}px system-ui, sans-serif`
  lines.forEach(({ text, colour, isDashed }, index) => {
    const y = pad + row * (1.5 + index)
    ctx.strokeStyle = palette.series[colour] ?? palette.text
    ctx.lineWidth = 3 * ratio
    ctx.setLineDash(isDashed ? [7 * ratio, 5 * ratio] : [])
    ctx.beginPath()
    ctx.moveTo(pad, y)
    ctx.lineTo(pad + 24 * ratio, y)
    ctx.stroke()
    ctx.fillStyle = palette.text
    ctx.fillText(text, pad + 32 * ratio, y)
  })
  ctx.drawImage(canvas, pad, head)
  ctx.fillStyle = palette.quiet
  ctx.fillText(foot, pad, head + canvas.height + row / 2)
  return new Promise((resolve, reject) => {
    picture.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the picture could not be made'))))
  })
}
