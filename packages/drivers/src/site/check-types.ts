import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Fault } from '@golem/config'
import { driverFiles } from './index.ts'

/** What TypeScript says about a site's drivers and recipes in code. */
export interface CheckedTypes {
  faults: readonly Fault[]
  /** Why nothing was checked, as a sentence. */
  skipped?: string
}

const OPTIONS = {
  noEmit: true,
  strict: true,
  target: 'es2023',
  lib: ['es2023'],
  module: 'preserve',
  moduleResolution: 'bundler',
  moduleDetection: 'force',
  allowImportingTsExtensions: true,
  erasableSyntaxOnly: true,
  verbatimModuleSyntax: true,
  skipLibCheck: true,
  // JavaScript is looked at when it asks for it with // @ts-check.
  allowJs: true,
}

/**
 * Checks the types of a site's drivers and recipes in code against those of `@golem/core`, when there is a TypeScript to do it with.
 *
 * @param instanceDir - absolute; its folders `drivers` and `recipes` are looked at
 */
export async function checkDriverTypes(instanceDir: string): Promise<CheckedTypes> {
  const found = [
    ...driverFiles(join(instanceDir, 'drivers')).map((file) => ({ file, type: 'Model' })),
    ...driverFiles(join(instanceDir, 'recipes')).map((file) => ({ file, type: 'CodeRecipe' })),
  ]
  const files = found.map(({ file }) => file)
  if (files.length === 0) return { faults: [] }
  const compiler = findCompiler()
  if (compiler === undefined) {
    return {
      faults: [],
      skipped:
        'The types of drivers/ and recipes/ were not checked: there is no TypeScript here (npm install in the folder of golem gets it).',
    }
  }
  const core = fileURLToPath(import.meta.resolve('@golem/core'))
  const types = folderOf('@types/node')
  const place = mkdtempSync(join(tmpdir(), 'golem-types-'))
  try {
    const uses = join(place, 'uses.ts')
    // Also what a file exports without saying what it is. Of JavaScript TypeScript knows too little for that.
    const typed = found.filter(({ file }) => file.endsWith('.ts'))
    const lines = typed.map(
      ({ file, type }, n) =>
        `import m${n} from ${JSON.stringify(file)}; m${n} satisfies import('@golem/core').${type}`,
    )
    writeFileSync(uses, [...lines, 'export {}'].join('\n'))
    const project = join(place, 'tsconfig.json')
    const compilerOptions = {
      ...OPTIONS,
      paths: { '@golem/core': [core.replace(/\.js$/, '.d.ts')] },
      ...(types === undefined ? { types: [] } : { typeRoots: [dirname(types)], types: ['node'] }),
    }
    writeFileSync(project, JSON.stringify({ compilerOptions, files: [uses, ...files] }))
    return {
      faults: faultsIn(
        await run(compiler, ['--pretty', 'false', '-p', project], place),
        place,
        uses,
        typed.map(({ file }) => file),
      ),
    }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** tsc, or undefined where only what is needed to run is installed. */
function findCompiler(): string | undefined {
  const folder = folderOf('typescript')
  const compiler = folder === undefined ? undefined : join(folder, 'bin', 'tsc')
  return compiler !== undefined && existsSync(compiler) ? compiler : undefined
}

/** Where a package is that need not be there. */
function folderOf(name: string): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** What it prints; that it finds faults is no failure of it. */
function run(compiler: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolved, reject) => {
    execFile(process.execPath, [compiler, ...args], { cwd, maxBuffer: 16 * 1024 * 1024 }, (error, stdout) => {
      if (error && stdout === '') reject(new Error(`tsc failed: ${error.message}`, { cause: error }))
      else resolved(stdout)
    })
  })
}

/** `file(line,column): error TS2322: text`, with more about it on indented lines. */
function faultsIn(output: string, cwd: string, uses: string, files: readonly string[]): Fault[] {
  const faults: Fault[] = []
  for (const line of output.split('\n')) {
    const found = /^(.+)\((\d+),(\d+)\): error (TS\d+): (.*)$/.exec(line)
    const last = faults.at(-1)
    if (found) {
      const [, file = '', row = '', column = '', code = '', text = ''] = found
      const path = resolve(cwd, file)
      const place =
        path === uses
          ? { file: files[Number(row) - 1] ?? path, line: 1, column: 1 }
          : { file: path, line: Number(row), column: Number(column) }
      faults.push({ ...place, path: '', message: `${text} (${code})` })
    } else if (/^\s/.test(line) && line.trim() !== '' && last) {
      // The last of these lines is what is really wrong.
      last.message = `${last.message.split(' In detail: ')[0]} In detail: ${line.trim()}`
    } else if (line.startsWith('error TS')) {
      faults.push({ file: files[0] ?? uses, line: 1, column: 1, path: '', message: line })
    }
  }
  return faults
}
