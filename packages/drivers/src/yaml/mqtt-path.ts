import type { Path } from '@golem/config'
import type { Report } from './model-file.ts'

/** A place in a JSON document: names and positions, from the outside to the inside. */
export type JsonPath = readonly (string | number)[]

/** Reads `ENERGY.Power`, `list[0].value`. A name with a dot in it can't be said. What is wrong is reported. */
export function readJsonPath(text: string, path: Path, report: Report): JsonPath {
  if (
    !/^[^.[\]]+(?:\[\d+\])*(?:\.[^.[\]]+(?:\[\d+\])*)*$|^(?:\[\d+\])+(?:\.[^.[\]]+(?:\[\d+\])*)*$/.test(text)
  ) {
    report(path, `"${text}" is no path into JSON. Write names with dots between, positions as [0]: a.b[0].c`)
  }
  return [...text.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, name = '']) =>
    index === undefined ? name : Number(index),
  )
}

/** What stands at that place; undefined: nothing. */
export function atPath(document: unknown, path: JsonPath): unknown {
  return path.reduce<unknown>((at, step) => {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    return (at as Record<string | number, unknown>)[step]
  }, document)
}
