// Writes what documents say about the code from the code itself: the tree and the import graph in ARCHITECTURE.md, and
// docs/fidelity.md. `--check` writes nothing and fails when one of them is out of date.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { kernelTags } from './kernel-tags.mjs'

process.chdir(resolve(import.meta.dirname, '..'))
/** Folders of which the tree lists every file: those whose file names are the chapters of the project. */
const LISTED =
  /^src\/(util|engine|workloads|recorder|profiles|labs|protocol|host|main|preload|cli|shell)(\/(mm|reclaim|fs|procfs))*$/
const COLUMNS = 150

const read = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Folder → folders that it really imports, from dependency-cruiser; tests left out. */
function folderImports() {
  const args = [
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    'src',
    '--config',
    '.dependency-cruiser.cjs',
    '--no-cache',
  ]
  const run = spawnSync(process.execPath, [...args, '--output-type', 'json'], { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (run.error || !run.stdout) throw new Error(`dependency-cruiser failed: ${run.stderr}`)
  const folderOf = (path) => /^src\/([^/]+)\//.exec(path)?.[1]
  const edges = new Set()
  for (const module of JSON.parse(run.stdout).modules) {
    const from = folderOf(module.source)
    if (!from || module.source.endsWith('.test.ts')) continue
    for (const { resolved } of module.dependencies) {
      const to = folderOf(resolved)
      if (to && to !== from) edges.add(`${from} --> ${to}`)
    }
  }
  return [...edges].sort()
}

/** The first sentence of a text, or as much of it as fits on a line. */
function firstSentence(text, width) {
  const sentence = /^(.*?\.)(\s|$)/.exec(text.replace(/\s+/g, ' ').trim())?.[1] ?? ''
  const plain = sentence.replace(/\.$/, '')
  return plain.length <= width ? plain : `${plain.slice(0, width - 2).replace(/\s+\S*$/, '')} …`
}

/** What a file says first: its opening comment. */
const openingOf = (path) => (/^\s*\/\*\*?([\s\S]*?)\*\//.exec(read(path))?.[1] ?? '').replace(/^\s*\* ?/gm, ' ')
const readmeOf = (folder) => read(`${folder}/README.md`).replace(/^#.*$/gm, '')

/** Version control knows no empty folder. */
const hasFiles = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).some((entry) => entry.isFile())

function treeOf(folder, depth) {
  const line = (name, text) => `${'  '.repeat(depth)}${name}`.padEnd(34) + `  ${text}`.trimEnd()
  const width = COLUMNS - 36
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  const isSource = ({ name }) => name.endsWith('.ts') && !name.endsWith('.test.ts')
  const files = LISTED.test(folder) ? entries.filter((entry) => entry.isFile() && isSource(entry)) : []
  return [
    ...files.map(({ name }) => line(name, firstSentence(openingOf(`${folder}/${name}`), width))),
    ...entries
      .filter((entry) => entry.isDirectory() && hasFiles(`${folder}/${entry.name}`))
      .flatMap(({ name }) => {
        const inside = `${folder}/${name}`
        return [line(`${name}/`, firstSentence(readmeOf(inside), width)).trimEnd(), ...treeOf(inside, depth + 1)]
      }),
  ]
}

/** Puts `made` between the two comments that mark a generated part. */
function withPart(document, part, made) {
  const open = `<!-- ${part}: made by npm run docs -->`
  const close = `<!-- end of ${part} -->`
  const [before, rest] = document.split(open)
  const after = rest?.split(close)[1]
  if (after === undefined) throw new Error(`ARCHITECTURE.md has lost its "${open}" … "${close}"`)
  return `${before}${open}\n\n${made}\n\n${close}${after}`
}

const fenced = (language, lines) => ['```' + language, ...lines, '```'].join('\n')

function architectureFrom(document) {
  const tree = ['src/', ...treeOf('src', 1)].map((line) => line.trimEnd())
  const graph = ['graph TD', ...folderImports().map((edge) => `  ${edge}`)]
  return withPart(withPart(document, 'tree', fenced('text', tree)), 'import graph', fenced('mermaid', graph))
}

const cell = (text) => text.replaceAll('|', '\\|')
const where = ({ file, name }) => `\`${name || basename(file)}\``
const joined = (texts) => cell(texts.join('; '))

function table(head, rows) {
  return [
    `| ${head.join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n')
}

function fidelity() {
  const tags = kernelTags()
  const simplified = tags.filter((row) => row.simplifies.length > 0)
  const functions = tags.filter((row) => row.name !== '')
  const models = functions.filter((row) => row.kernel.length === 0 && row.model.length > 0)
  const followed = functions.filter((row) => row.kernel.length > 0)
  const files = [...new Set(functions.map((row) => row.file))]
  const fileSection = (file) => {
    const rows = functions.filter((row) => row.file === file)
    const follows = (row) => (row.kernel.length > 0 ? joined(row.kernel) : `model: ${joined(row.model)}`)
    return `### ${file.replace('src/engine/', '')}\n\n${table(
      ['ours', 'follows'],
      rows.map((row) => [where(row), follows(row)]),
    )}`
  }
  return `<!-- Made by \`npm run docs\` from the docstrings of src/engine/mm: edit those. -->
# What is exact, what is simplified

Every function of the simulated memory management names the kernel's function that it follows, or says that it is a model
of our own and why that is fair. What a function leaves out is listed first. What is in neither table is not simulated.

${functions.length} functions: ${followed.length} follow one of the kernel's, ${models.length} are models of our own; ${simplified.length} notes on what is simplified.
Whether the result agrees with real kernels is measured, not claimed: \`npm run -s pagewalk -- conform\` compares with captures.

## Simplified

${table(
  ['where', 'file', 'what is left out'],
  simplified.map((row) => [where(row), row.file.replace('src/engine/', ''), joined(row.simplifies)]),
)}

## Models of our own

${table(
  ['where', 'file', 'why it is fair'],
  models.map((row) => [where(row), row.file.replace('src/engine/', ''), joined(row.model)]),
)}

## Followed, function by function

${files.map(fileSection).join('\n\n')}
`
}

const architecture = read('ARCHITECTURE.md')
const documents = { 'ARCHITECTURE.md': architectureFrom(architecture), 'docs/fidelity.md': fidelity() }
const stale = Object.entries(documents).filter(([path, text]) => read(path) !== text)
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is out of date: run "npm run docs" and commit it.`)
  process.exit(stale.length > 0 ? 1 : 0)
}
for (const [path, text] of stale) {
  writeFileSync(path, text)
  console.log(`wrote ${path}`)
}
