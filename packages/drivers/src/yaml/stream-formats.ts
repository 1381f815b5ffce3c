import { type Fault, fault, type Value } from '@golem/core'
import { degreesOf, parseSentence, transducerOf } from './nmea.ts'
import type { Report } from './model-file.ts'
import { readPattern } from './patterns.ts'
import type { RawChecksum, RawFrom, RawStream, RawStreamParameter } from './stream-schema.ts'
import { fromOwnText, fromWireNumber } from './values.ts'

type Found = Record<string, Value | Fault>
type Parameters = Readonly<Record<string, RawStreamParameter>>

/**
 * What a line (or frame) says; undefined: it is none of this instrument's.
 *
 * @throws REPLY_MALFORMED when it looks like one, but a value in it makes no sense
 */
export type Understand = (line: string) => Found | undefined

/** Which keys of `stream` and of a parameter's `from` each format has; the first of `from` is needed. */
const KEYS: Readonly<
  Record<RawStream['format'], { stream: readonly (keyof RawStream)[]; from: readonly (keyof RawFrom)[] }>
> = {
  pattern: { stream: ['patterns'], from: [] },
  nmea: { stream: [], from: ['sentence', 'field', 'hemisphere', 'name', 'valid'] },
  csv: { stream: ['separator', 'columns'], from: ['column'] },
  keyValue: { stream: ['separator', 'assign'], from: ['key'] },
  frame: { stream: ['header', 'length', 'checksum'], from: ['byte', 'as', 'endian'] },
}

/** Compiles `stream:` and the `from:` of the parameters. */
export function readFormat(stream: RawStream, parameters: Parameters, report: Report): Understand {
  const allowed = KEYS[stream.format]
  for (const key of Object.keys(stream) as (keyof RawStream)[]) {
    if (key !== 'format' && !allowed.stream.includes(key)) {
      report(['stream', key], `A stream with format ${stream.format} has no "${key}".`, 'key')
    }
  }
  const sources = Object.entries(parameters).flatMap(([name, parameter]): Source[] => {
    if (parameter.from === undefined) return []
    const { from } = parameter
    const place = ['parameters', name, 'from']
    for (const key of Object.keys(from) as (keyof RawFrom)[]) {
      if (!allowed.from.includes(key)) {
        report([...place, key], `In a stream with format ${stream.format} there is no "${key}".`, 'key')
      }
    }
    const [needed] = allowed.from
    if (needed !== undefined && from[needed] === undefined) report(place, `"${needed}" is missing. Add it.`)
    return [{ name, parameter, from }]
  })
  switch (stream.format) {
    case 'pattern':
      return readPatterns(stream, parameters, report)
    case 'nmea':
      return readNmea(sources, report)
    case 'csv':
      return readCsv(stream, sources)
    case 'keyValue':
      return readKeyValue(stream, sources)
    case 'frame':
      return readFrame(stream, sources, report)
  }
}

interface Source {
  name: string
  parameter: RawStreamParameter
  from: RawFrom
}

function readPatterns(stream: RawStream, parameters: Parameters, report: Report): Understand {
  if (!stream.patterns) report(['stream'], '"patterns" is missing. Add it.')
  const patterns = (stream.patterns ?? []).flatMap((source, index) => {
    const place = ['stream', 'patterns', index]
    const pattern = readPattern(source, place, report)
    const unknown = pattern?.groups.find((name) => !Object.hasOwn(parameters, name))
    if (unknown !== undefined) report(place, `There is no parameter "${unknown}".`)
    if (pattern?.groups.length === 0) {
      report(place, 'It fills no parameter: give it groups with their names, (?<name>…).')
    }
    return pattern ? [pattern] : []
  })
  return (line) => {
    for (const { regex } of patterns) {
      const match = regex.exec(line.trim())
      if (!match) continue
      const found: Found = {}
      // A group that took no part in the match is undefined, whatever its type says.
      for (const [name, text] of Object.entries<string | undefined>(match.groups ?? {})) {
        const parameter = parameters[name]
        if (parameter && text !== undefined) found[name] = fromOwnText(parameter, text)
      }
      return found
    }
    return undefined
  }
}

function readNmea(sources: readonly Source[], report: Report): Understand {
  for (const { name, parameter, from } of sources) {
    const place = ['parameters', name, 'from']
    if ((from.field === undefined) === (from.name === undefined)) {
      report(place, 'Give it either "field", or (in XDR) "name".')
    }
    if (from.name !== undefined && from.sentence !== 'XDR') {
      report([...place, 'name'], 'Only the sentence XDR has names.', 'key')
    }
    if (from.hemisphere !== undefined && parameter.type !== 'number') {
      report([...place, 'hemisphere'], 'Degrees are a number.', 'key')
    }
  }
  return (line) => {
    const sentence = parseSentence(line)
    if (!sentence) return undefined
    const found: Found = {}
    for (const { name, parameter, from } of sources) {
      if (from.sentence !== sentence.type) continue
      const value = nmeaValue(parameter, from, sentence.fields)
      if (value !== undefined) found[name] = value
    }
    return found
  }
}

function nmeaValue(
  parameter: RawStreamParameter,
  from: RawFrom,
  fields: readonly string[],
): Value | Fault | undefined {
  const { valid } = from
  if (valid && !valid.is.includes(fields[valid.field - 1] ?? '')) {
    return fault('The source says that this is not valid just now.')
  }
  if (from.name !== undefined) {
    const text = transducerOf(fields, from.name)
    if (text === undefined) return undefined
    return text === '' ? fault('The source gives no value.') : fromOwnText(parameter, text)
  }
  const text = fields[(from.field ?? 1) - 1] ?? ''
  if (text === '') return fault('The source gives no value.')
  if (from.hemisphere === undefined) return fromOwnText(parameter, text)
  const degrees = degreesOf(text, fields[from.hemisphere - 1] ?? '')
  return degrees ?? fault('The source gives a position that is none.')
}

function readCsv({ separator = ',', columns }: RawStream, sources: readonly Source[]): Understand {
  const least = columns ?? Math.max(...sources.map(({ from }) => from.column ?? 1))
  return (line) => {
    const cells = line.trim().split(separator)
    if (columns === undefined ? cells.length < least : cells.length !== columns) return undefined
    return Object.fromEntries(
      sources.map(({ name, parameter, from }) => {
        const cell = (cells[(from.column ?? 1) - 1] ?? '').trim()
        return [name, cell === '' ? fault('The source gives no value.') : fromOwnText(parameter, cell)]
      }),
    )
  }
}

function readKeyValue({ separator = ' ', assign = '=' }: RawStream, sources: readonly Source[]): Understand {
  return (line) => {
    const pairs = new Map(
      line
        .trim()
        .split(separator)
        .flatMap((pair): [string, string][] => {
          const at = pair.indexOf(assign)
          return at < 0 ? [] : [[pair.slice(0, at).trim(), pair.slice(at + assign.length).trim()]]
        }),
    )
    const found: Found = {}
    for (const { name, parameter, from } of sources) {
      const text = pairs.get(from.key ?? '')
      if (text !== undefined)
        found[name] = text === '' ? fault('The source gives no value.') : fromOwnText(parameter, text)
    }
    return Object.keys(found).length === 0 ? undefined : found
  }
}

const SIZES = { uint8: 1, int8: 1, uint16: 2, int16: 2, uint32: 4, int32: 4, float32: 4 } as const

function readFrame(stream: RawStream, sources: readonly Source[], report: Report): Understand {
  const { header = '', length = 0, checksum } = stream
  for (const key of ['header', 'length'] as const) {
    if (stream[key] === undefined) report(['stream'], `"${key}" is missing. Add it.`)
  }
  const first = headerBytes(header)
  for (const key of ['from', 'to', 'at'] as const) {
    if (checksum && checksum[key] >= length)
      report(['stream', 'checksum', key], `The frame has ${length} bytes only.`)
  }
  for (const { name, from } of sources) {
    if ((from.byte ?? 0) + SIZES[from.as ?? 'uint8'] > length) {
      report(['parameters', name, 'from', 'byte'], `The frame ends before: it has ${length} bytes.`)
    }
  }
  return (line) => {
    const bytes = Buffer.from(line, 'latin1')
    if (bytes.length !== length || !bytes.subarray(0, first.length).equals(first)) return undefined
    if (checksum && bytes[checksum.at] !== checksumBy(checksum, bytes)) return undefined
    return Object.fromEntries(
      sources.map(({ name, parameter, from }) => [name, fromWireNumber(parameter, numberAt(bytes, from))]),
    )
  }
}

/** The first bytes of a frame, from their hexadecimal form. */
export function headerBytes(header: string): Buffer {
  return Buffer.from(header.replaceAll(' ', ''), 'hex')
}

function checksumBy({ kind, from, to }: RawChecksum, bytes: Buffer): number {
  const summed = bytes.subarray(from, to + 1)
  if (kind === 'xor') return summed.reduce((sum, byte) => sum ^ byte, 0)
  const sum = summed.reduce((total, byte) => total + byte, 0) & 0xff
  return kind === 'sum' ? sum : (256 - sum) & 0xff
}

function numberAt(bytes: Buffer, { byte = 0, as = 'uint8', endian }: RawFrom): number {
  const little = endian === 'little'
  switch (as) {
    case 'uint8':
      return bytes.readUInt8(byte)
    case 'int8':
      return bytes.readInt8(byte)
    case 'uint16':
      return little ? bytes.readUInt16LE(byte) : bytes.readUInt16BE(byte)
    case 'int16':
      return little ? bytes.readInt16LE(byte) : bytes.readInt16BE(byte)
    case 'uint32':
      return little ? bytes.readUInt32LE(byte) : bytes.readUInt32BE(byte)
    case 'int32':
      return little ? bytes.readInt32LE(byte) : bytes.readInt32BE(byte)
    case 'float32':
      return little ? bytes.readFloatLE(byte) : bytes.readFloatBE(byte)
  }
}
