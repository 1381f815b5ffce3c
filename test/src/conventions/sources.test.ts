import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filesBelow, readText, sourceFiles } from './tree.ts'

/** No file is longer, in lines: one that grows beyond it does two jobs. */
const LONGEST = 450

/** Ways to make HTML of a text. */
const HTML_MAKERS =
  /\b(innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|srcdoc)\b/g

/** Names of XML namespaces look like addresses and are not fetched. */
const NAMESPACES = /https?:\/\/www\.w3\.org\/[\w/]+/g

test(`no file has more than ${LONGEST} lines`, () => {
  const scripts = [...filesBelow('test', /^[^/]+\.mjs$/), ...filesBelow('deploy', /\.mjs$/)]
  const long = [...sourceFiles().map(({ path }) => path), ...scripts]
    .map((path) => ({ path, lines: readText(path).split('\n').length }))
    .filter(({ lines }) => lines > LONGEST)
  assert.deepEqual(long, [])
})

test('the page never makes HTML of a text', () => {
  const faults = dashboardFiles().flatMap((path) =>
    [...readText(path).matchAll(HTML_MAKERS)].map(([what]) => `${path}: ${what}`),
  )
  assert.deepEqual(faults, [])
})

test('the page loads nothing from elsewhere', () => {
  const faults = dashboardFiles().flatMap((path) =>
    [
      ...readText(path)
        .replace(NAMESPACES, '')
        .matchAll(/(?:https?:)?\/\/[\w-]+\.[\w.-]+/g),
    ].map(([what]) => `${path}: ${what}`),
  )
  assert.deepEqual(faults, [])
})

test('files are named in kebab-case', () => {
  const faults = sourceFiles()
    .map(({ path }) => path)
    .filter((path) => !/^[a-z0-9-]+(\.test|\.d)?\.tsx?$/.test(path.split('/').at(-1) ?? ''))
  assert.deepEqual(faults, [])
})

test('no test is set aside for later and nothing is left to do', () => {
  const marks = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].map((word) => `\\b${word}\\b`).join('|'))
  const faults = sourceFiles().flatMap(({ path, text, isTest }) => [
    ...(marks.test(text) ? [`${path}: something is left to do`] : []),
    ...(isTest && /\b(?:test|it|describe)\.(?:todo|only)\(/.test(text)
      ? [`${path}: a test is set aside`]
      : []),
  ])
  assert.deepEqual(faults, [])
})

function dashboardFiles(): string[] {
  return [
    ...filesBelow('apps/dashboard/src', /\.(tsx?|css|svg)$/),
    ...filesBelow('apps/dashboard', /^[^/]+\.html$/),
  ].filter((path) => !path.endsWith('.test.ts'))
}

test('what npm start builds needs no development dependencies: it installs none', () => {
  const needing = ['packages', 'apps']
    .flatMap((folder) => filesBelow(folder, /^[^/]+\/package\.json$/))
    .filter((path) => 'devDependencies' in (JSON.parse(readText(path)) as object))
  assert.deepEqual(needing, [])
})
