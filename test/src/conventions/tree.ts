import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, sep } from 'node:path'
import { ROOT } from '../kit/root.ts'

export interface SourceFile {
  /** Relative to the top, with `/`. */
  path: string
  text: string
  /** Workspace, e.g. `packages/core`, `apps/web` or `test`. */
  workspace: string
  isTest: boolean
}

/** All that people have written in TypeScript, workspace by workspace. */
export function sourceFiles(): SourceFile[] {
  return workspaces().flatMap((workspace) =>
    filesBelow(join(workspace, 'src'), /\.tsx?$/).map((path) => ({
      path,
      text: readText(path),
      workspace,
      isTest: /(?:\.test|\btesting)\.tsx?$/.test(path) || workspace === 'test',
    })),
  )
}

/** Paths of the files below a folder of the project whose name fits. */
export function filesBelow(folder: string, name: RegExp): string[] {
  const top = join(ROOT, folder)
  if (!existsSync(top)) return []
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((file) => name.test(file) && !/(^|\/)(node_modules|dist)\//.test(file))
    .map((file) => join(folder, file).split(sep).join('/'))
    .sort()
}

/** The text of a file of the project. */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

function workspaces(): string[] {
  const grouped = ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(ROOT, group)).map((name) => `${group}/${name}`),
  )
  return [...grouped, 'test']
}
