/** What no linter checks: READMEs, docstrings that name the kernel, links, lengths. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { kernelTags } from '../scripts/kernel-tags.mjs'

const CODE = ['src', 'e2e', 'scripts', 'bench']
/** How many files may be longer than the 300 lines at which one asks oneself. It only ever goes down. */
const LONG_FILES_MAX = 30
const LINES_TO_ASK = 300
const LINES_MAX = 500

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesUnder(path)
    return [path]
  })
}

const read = (path: string): string => readFileSync(path, 'utf8')
const lineCount = (path: string): number => read(path).split('\n').length - 1
const sources = CODE.flatMap(filesUnder).filter((path) => /\.(ts|vue|mjs|cjs)$/.test(path))
const documents = [...readdirSync('.'), ...filesUnder('docs'), ...CODE.flatMap(filesUnder)].filter((path) =>
  path.endsWith('.md'),
)

describe('folders', () => {
  const folders = readdirSync('src', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join('src', entry.name))

  test.each([...folders, 'e2e', 'scripts', 'bench'])(
    '%s says in a README what is in it and why it is apart',
    (folder) => {
      const text = read(join(folder, 'README.md'))
      expect(text.length).toBeGreaterThan(150)
      expect(
        text
          .trim()
          .split(/\n\s*\n/)
          .filter((paragraph) => !paragraph.startsWith('#')).length,
      ).toBeLessThanOrEqual(3)
    },
  )
})

test('each exported function of engine/mm names the kernel function it follows, or calls itself a model', () => {
  const silent = kernelTags().filter(({ name, kernel, model }) => name !== '' && kernel.length + model.length === 0)
  expect(silent.map(({ file, line, name }) => `${file}:${line} ${name}`)).toEqual([])
  expect(kernelTags().length).toBeGreaterThan(100)
})

test('no promise for later without an issue number', () => {
  const promise = new RegExp(`\\b(${['TO', 'DO'].join('')}(?!\\(#\\d+\\))|FIX${'ME'}|X${'XX'}|HA${'CK'})\\b`)
  const found = sources.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (promise.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
  )
  expect(found).toEqual([])
})

test('links between documents lead somewhere', () => {
  const broken = documents.flatMap((path) =>
    [
      ...read(path)
        .replace(/```[\s\S]*?```/g, '')
        .matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g),
    ]
      .map((match) => match[1]!)
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(path), target)))
      .map((target) => `${path} → ${target}`),
  )
  expect(broken).toEqual([])
})

test(`no file is longer than ${LINES_MAX} lines, and no more than ${LONG_FILES_MAX} are longer than ${LINES_TO_ASK}`, () => {
  const long = sources
    .filter((path) => path.startsWith('src/') && !path.endsWith('.test.ts'))
    .map((path) => ({ path, lines: lineCount(path) }))
    .filter(({ lines }) => lines > LINES_TO_ASK)
  expect(long.filter(({ lines }) => lines > LINES_MAX)).toEqual([])
  expect(long.length, long.map(({ path, lines }) => `${path} ${lines}`).join('\n')).toBeLessThanOrEqual(LONG_FILES_MAX)
})
