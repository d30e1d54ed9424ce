/**
 * YAML text → documents as trees whose every node knows its line and path, so that a mistake found later can still be
 * pointed at. The library parses; limits, anchors and duplicate names are checked here, because a file that somebody sends
 * may be made to hang or crash whoever reads it.
 */
import { Lexer, isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Document, type Node as YamlNode } from 'yaml'
import { err, ok, userError, type Err, type Result, type UserError } from '../../../util/result'
import { byteLength } from '../../../util/utf8'

/** A manifest is a few kilobytes; the API server itself refuses more than 1.5 MiB. */
const BYTES_MAX = 256 * 1024
const DEPTH_MAX = 64
const DOCUMENTS_MAX = 200
/** Nodes after aliases are followed: a few lines of anchors can stand for billions. */
const NODES_MAX = 50_000

export interface Tree {
  /** Absent for maps, lists and an empty value. */
  readonly scalar: string | number | boolean | undefined
  /** The scalar as it was written: '1e3' stays '1e3'. */
  readonly source: string
  readonly items: readonly Tree[] | undefined
  readonly fields: ReadonlyMap<string, Tree> | undefined
  /** From 1. */
  readonly line: number
  /** 'spec.containers[0].name'; '' is the document. */
  readonly path: string
  readonly file: string
}

/** A mistake in the file, thrown while walking it and caught at the door. */
export class Fault extends Error {
  readonly refusal: Err<UserError>
  constructor(refusal: Err<UserError>) {
    super(refusal.error.message)
    this.refusal = refusal
  }
}

/** Ends the walk: this node is wrong, and so it would be right. */
export function refuse(at: Tree, code: string, message: string, fix: string): never {
  throw new Fault(userError(`import/${code}`, placeOf(at), message, fix))
}

export const placeOf = (at: Tree): string => `${at.file}: line ${at.line}${at.path === '' ? '' : `, ${at.path}`}`

/** Runs a walk; a fault becomes its result. */
export function catchFault<T>(walk: () => T): Result<T> {
  try {
    return ok(walk())
  } catch (fault) {
    if (fault instanceof Fault) return err(fault.refusal.error)
    throw fault
  }
}

/** Every document of the text that is not empty. */
export function readYaml(text: string, file: string): Result<readonly Tree[]> {
  const tooMuch = checkLimits(text, file)
  if (tooMuch !== undefined) return tooMuch
  const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: 'silent', prettyErrors: false })
  if (!Array.isArray(documents)) return nothing(file)
  const lines = lineStarts(text)
  for (const document of documents as readonly Document.Parsed[]) {
    const first = document.errors[0]
    if (first === undefined) continue
    const { line, column } = lineAt(lines, first.pos[0])
    const message = `This is not YAML: ${first.message.replace(/\.$/, '')}.`
    return userError('import/yaml', `${file}: line ${line}, column ${column}`, message, 'Mend the text there.')
  }
  return catchFault(() => {
    const budget = { left: NODES_MAX }
    const trees: Tree[] = []
    for (const document of documents as readonly Document.Parsed[]) {
      if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) continue
      const walk: Walk = { file, lines, budget, anchors: new Map(), open: [] }
      trees.push(treeOf(walk, document.contents, '', 1))
    }
    if (trees.length === 0) throw new Fault(nothing(file))
    return trees
  })
}

const nothing = (file: string): Err<UserError> =>
  userError('import/empty', file, 'The file holds no document.', 'Give a Kubernetes manifest or a compose file.')

/** Size and nesting, before anything recursive sees the text. */
function checkLimits(text: string, file: string): Err<UserError> | undefined {
  const bytes = byteLength(text)
  const big = (where: string, message: string, fix: string): Err<UserError> =>
    userError('import/too-big', where, message, fix)
  if (bytes > BYTES_MAX)
    return big(file, `The file has ${bytes} bytes.`, `At most ${BYTES_MAX} are read: give the manifest alone.`)
  const separators = text.match(/^---/gm)?.length ?? 0
  if (separators > DOCUMENTS_MAX)
    return big(file, `The file has ${separators} documents.`, `At most ${DOCUMENTS_MAX} are read: split it.`)
  const line = tooDeepAt(text)
  if (line === 0) return undefined
  return big(
    `${file}: line ${line}`,
    `Something is nested more than ${DEPTH_MAX} deep.`,
    'No manifest is: mend the text.',
  )
}

/** The line where brackets, indentation and dashes together are nested too deep; 0 = nowhere. */
function tooDeepAt(text: string): number {
  let line = 1
  let flow = 0
  let dashes = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (lexeme === '[' || lexeme === '{') flow++
    else if (lexeme === ']' || lexeme === '}') flow--
    else if (lexeme === '-' || lexeme === '?' || lexeme === ':') dashes++
    if (flow + dashes > DEPTH_MAX) return line
    for (let at = lexeme.indexOf('\n'); at >= 0; at = lexeme.indexOf('\n', at + 1)) {
      line++
      dashes = 0
    }
  }
  const indents: number[] = []
  const rows = text.split('\n')
  for (let row = 0; row < rows.length; row++) {
    const indent = /^ *(?=\S)/.exec(rows[row]!)?.[0].length
    if (indent === undefined) continue
    while (indents.length > 0 && indents.at(-1)! >= indent) indents.pop()
    indents.push(indent)
    if (indents.length > DEPTH_MAX) return row + 1
  }
  return 0
}

interface Walk {
  readonly file: string
  readonly lines: readonly number[]
  readonly budget: { left: number }
  /** Filled in the order of the text: an alias means the last node of that name before it. */
  readonly anchors: Map<string, YamlNode>
  /** Nodes whose content is being walked: an alias to one of them has no end. */
  readonly open: YamlNode[]
}

function treeOf(walk: Walk, given: YamlNode | null, path: string, lineBefore: number): Tree {
  const line = given?.range ? lineAt(walk.lines, given.range[0]).line : lineBefore
  const empty: Tree = {
    scalar: undefined,
    source: '',
    items: undefined,
    fields: undefined,
    line,
    path,
    file: walk.file,
  }
  if (walk.budget.left-- <= 0)
    refuse(empty, 'too-big', `The file stands for more than ${NODES_MAX} values.`, 'Write out fewer aliases.')
  const node = given !== null && isAlias(given) ? targetOf(walk, given, empty) : given
  if (node === null) return empty
  if (!isAlias(node) && node.anchor !== undefined) walk.anchors.set(node.anchor, node)
  if (isScalar(node)) return { ...empty, ...scalarOf(node.value, node.source) }
  if (walk.open.includes(node))
    refuse(empty, 'recursive', 'This alias stands inside of what it stands for.', 'Write the value out.')
  walk.open.push(node)
  const tree = isSeq(node)
    ? { ...empty, items: node.items.map((item, i) => treeOf(walk, item as YamlNode | null, `${path}[${i}]`, line)) }
    : { ...empty, fields: fieldsOf(walk, node, empty) }
  walk.open.pop()
  return tree
}

function targetOf(walk: Walk, alias: YamlNode, at: Tree): YamlNode {
  const name = isAlias(alias) ? alias.source : ''
  return (
    walk.anchors.get(name) ?? refuse(at, 'alias', `There is no anchor '${name}' before this.`, 'Write the value out.')
  )
}

function scalarOf(value: unknown, source: string | undefined): Pick<Tree, 'scalar' | 'source'> {
  const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  const scalar = isPlain ? value : undefined
  return { scalar, source: source ?? (scalar === undefined ? '' : String(scalar)) }
}

function fieldsOf(walk: Walk, node: YamlNode, at: Tree): Map<string, Tree> {
  const fields = new Map<string, Tree>()
  if (!isMap(node)) return fields
  const merged: Tree[] = []
  for (const pair of node.items) {
    const key = treeOf(walk, pair.key as YamlNode | null, at.path, at.line)
    if (key.scalar === undefined) refuse(key, 'key', 'A name here is no text.', 'Write NAME: VALUE.')
    const name = key.source
    const path = at.path === '' ? name : /^[\w-]+$/.test(name) ? `${at.path}.${name}` : `${at.path}["${name}"]`
    const value = treeOf(walk, pair.value as YamlNode | null, path, key.line)
    // Compose files share settings by merge keys.
    if (name === '<<') merged.push(...(value.items ?? [value]))
    else if (fields.has(name))
      refuse({ ...value, line: key.line }, 'twice', `'${name}' is given twice.`, 'Keep one of them.')
    else fields.set(name, value)
  }
  for (const from of merged)
    for (const [name, value] of from.fields ?? []) if (!fields.has(name)) fields.set(name, value)
  return fields
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function lineAt(starts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - starts[low]! + 1 }
}

// ---------------------------------------------------------------- looking at trees

/** The value under a name; undefined when it is absent or empty. */
export function field(at: Tree | undefined, name: string): Tree | undefined {
  const found = at?.fields?.get(name)
  if (found === undefined) return undefined
  return found.scalar === undefined && found.items === undefined && found.fields === undefined ? undefined : found
}

/** The same, several names deep. */
export const dig = (at: Tree | undefined, ...names: readonly string[]): Tree | undefined =>
  names.reduce<Tree | undefined>((tree, name) => field(tree, name), at)

export function textOf(at: Tree): string {
  if (at.scalar === undefined) return refuse(at, 'value', 'A text is expected here.', 'Write one value.')
  return typeof at.scalar === 'string' ? at.scalar : at.source
}

export function wholeOf(at: Tree, least: number, most: number): number {
  const n = Number(at.scalar)
  if (at.scalar !== '' && typeof at.scalar !== 'boolean' && Number.isInteger(n) && n >= least && n <= most) return n
  return refuse(at, 'value', `'${at.source}' is not accepted.`, `Use a whole number from ${least} to ${most}.`)
}

/** The items of a list; [] when it is absent. */
export function listOf(at: Tree | undefined): readonly Tree[] {
  if (at === undefined) return []
  return at.items ?? refuse(at, 'value', 'A list is expected here.', 'Begin each item with a dash.')
}

export function mapOf(at: Tree): ReadonlyMap<string, Tree> {
  return at.fields ?? refuse(at, 'value', 'Names with values are expected here.', 'Write NAME: VALUE.')
}
