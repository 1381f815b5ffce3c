/** An import as a source file has it. */
export interface ImportLine {
  /** What is imported from. */
  from: string
  /** static: at load; lazy: `import()` when it is needed; type: gone after compiling. */
  kind: 'static' | 'lazy' | 'type'
}

const STATIC = /^(?:import|export)\s+(type\s)?[^;'"]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]/gm
const LAZY = /\bimport\(\s*['"]([^'"]+)['"]/g

/** The imports and re-exports of a module, read from its text. */
export function importsOf(text: string): ImportLine[] {
  const code = withoutComments(text)
  const found: ImportLine[] = []
  for (const [, type, from, bare] of code.matchAll(STATIC)) {
    found.push({ from: from ?? bare ?? '', kind: type ? 'type' : 'static' })
  }
  for (const [, from = ''] of code.matchAll(LAZY)) found.push({ from, kind: 'lazy' })
  return found
}

/** The package an import names: `@golem/core`, `fastify`, `node:fs`; null for a relative one. */
export function packageOf(from: string): string | null {
  if (from.startsWith('.')) return null
  const parts = from.split('/')
  return parts.slice(0, from.startsWith('@') ? 2 : 1).join('/')
}

/** The text of a module without block comments and lines that are comments. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
