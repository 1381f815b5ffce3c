/** A sentence of NMEA 0183, its checksum verified. */
export interface Sentence {
  /** Two letters: who says it, e.g. GP, GN, WI. */
  talker: string
  /** Three letters, e.g. GGA. */
  type: string
  /** What follows the type, from 0. */
  fields: readonly string[]
}

/** XOR of the characters, as two hexadecimal digits in capitals. @param body - between $ and * */
export function checksumOf(body: string): string {
  let sum = 0
  for (let at = 0; at < body.length; at++) sum ^= body.charCodeAt(at) & 0xff
  return sum.toString(16).toUpperCase().padStart(2, '0')
}

/**
 * Reads a sentence.
 *
 * @returns undefined when it is none, has no checksum, or a wrong one
 */
export function parseSentence(line: string): Sentence | undefined {
  const [, body = '', sum = ''] = /^[$!]([^*$!]*)\*([0-9A-Fa-f]{2})\s*$/.exec(line.trim()) ?? []
  if (body === '' || checksumOf(body) !== sum.toUpperCase()) return undefined
  const [address = '', ...fields] = body.split(',')
  const [, talker = '', type = ''] = /^([A-Z]{2})([A-Z]{3})$/.exec(address) ?? []
  return type === '' ? undefined : { talker, type, fields }
}

/**
 * Degrees of a position: `4807.038` and `N` are 48 degrees and 7.038 minutes north.
 *
 * @returns positive to north and east; undefined when it is no position
 */
export function degreesOf(text: string, hemisphere: string): number | undefined {
  const [, degrees = '', minutes = ''] = /^(\d{1,3})(\d{2}(?:\.\d*)?)$/.exec(text) ?? []
  if (minutes === '' || !/^[NSEW]$/.test(hemisphere) || Number(minutes) >= 60) return undefined
  const value = Number(degrees) + Number(minutes) / 60
  const limit = hemisphere === 'N' || hemisphere === 'S' ? 90 : 180
  if (value > limit) return undefined
  const signed = hemisphere === 'S' || hemisphere === 'W' ? -value : value
  return Number(signed.toFixed(9))
}

/** The value of a transducer in an XDR sentence, whose fields are type, value, unit and name, again and again. */
export function transducerOf(fields: readonly string[], name: string): string | undefined {
  for (let at = 0; at + 3 < fields.length; at += 4) {
    if (fields[at + 3] === name) return fields[at + 1]
  }
  return undefined
}
