/**
 * Numbers as C and Python print them. JavaScript rounds the exact value, too, but a tie away from zero where those take
 * the even digit (`0.125` with two digits is `0.13` here and `0.12` there); so ties are settled by hand.
 */

/** How many digits more show whether it is a tie: of a double's 53 bits none is left after so many. */
const MORE = 25
const MOST = 100

/** As `%.*f`. @param number - not negative @returns undefined where JavaScript would write an exponent */
export function inFixed(number: number, digits: number): string | undefined {
  if (number >= 1e21 || digits + MORE > MOST) return undefined
  return settled(number.toFixed(digits + MORE), number.toFixed(digits), digits)
}

/** As `%.*e`. @param number - not negative */
export function inExponent(number: number, digits: number): string | undefined {
  if (digits + MORE > MOST) return undefined
  const [rounded = '', exponent = ''] = number.toExponential(digits).split('e')
  const [exact = '', exactExponent = ''] = number.toExponential(digits + MORE).split('e')
  // Rounding up to the next power of ten is no tie that the even digit would win: its last digit is 9.
  const mantissa = exponent === exactExponent ? settled(exact, rounded, digits) : rounded
  const sign = exponent.startsWith('-') ? '-' : '+'
  return `${mantissa}e${sign}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`
}

/** As `%.*g`. @param number - not negative */
export function inGeneral(number: number, digits: number): string | undefined {
  const significant = Math.max(1, digits)
  const scientific = inExponent(number, significant - 1)
  if (scientific === undefined) return undefined
  const exponent = Number(scientific.split('e')[1])
  if (exponent < -4 || exponent >= significant) {
    const [mantissa = '', power = ''] = scientific.split('e')
    return `${withoutZeros(mantissa)}e${power}`
  }
  const fixed = inFixed(number, significant - 1 - exponent)
  return fixed === undefined ? undefined : withoutZeros(fixed)
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** The digits that are wanted: cut off instead of rounded up where it is a tie after an even digit. */
function settled(exact: string, rounded: string, digits: number): string {
  const point = exact.indexOf('.')
  const rest = exact.slice(point + 1 + digits)
  if (!/^50*$/.test(rest)) return rounded
  const cutOff = exact.slice(0, digits === 0 ? point : point + 1 + digits)
  return '02468'.includes(cutOff.at(-1) ?? '') ? cutOff : rounded
}
