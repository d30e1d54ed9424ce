/**
 * A manifest with another memory limit in it, as somebody would type it: the amount is replaced where it stands, and only
 * what is missing makes the document be written anew. For trying limits, and for the text that is suggested.
 */
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Document, type Node as YamlNode } from 'yaml'
import { MIB, type Bytes } from '../../../util/units'
import { userError, type Result } from '../../../util/result'
import { isCompose } from './compose'
import { KINDS, type KindRow } from './kubernetes'
import { dockerBytes, memoryOf } from './quantity'
import { catchFault, dig, field, Fault, listOf, mapOf, readYaml, textOf, type Tree } from './yaml-tree'

type Path = readonly (string | number)[]

/** A container whose limit can be edited. */
export interface Target {
  readonly runtime: 'kubernetes' | 'docker'
  /** As the manifest names them. */
  readonly pod: string
  readonly container: string
  /** Name of the first pod or container that comes of it, as a plan has it. */
  readonly planned: string
  readonly limitBytes: Bytes | undefined
  readonly requestBytes: Bytes | undefined
  readonly document: number
  /** The container, and the place of labels or annotations. */
  readonly at: Path
  readonly notesAt: Path
}

/** The containers of a manifest that go on running, in its order. Only for text that importPods() has taken. */
export function limitTargets(text: string, file: string): Result<readonly Target[]> {
  const documents = readYaml(text, file)
  if (!documents.ok) return documents
  return catchFault(() =>
    documents.value.flatMap((tree, document) =>
      isCompose(tree) ? composeTargets(tree, document) : podTargets(tree, document, []),
    ),
  )
}

function podTargets(tree: Tree, document: number, at: Path): Target[] {
  const kind = textOf(field(tree, 'kind')!)
  if (kind === 'List')
    return listOf(field(tree, 'items')).flatMap((item, i) => podTargets(item, document, [...at, 'items', i]))
  const row: KindRow | undefined = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined
  if (row === undefined) return []
  const template = row.template.length === 0 ? tree : dig(tree, ...row.template)
  const name = dig(tree, 'metadata', 'name') ?? dig(tree, 'metadata', 'generateName')
  const space = dig(tree, 'metadata', 'namespace')
  const pod = name === undefined ? '' : textOf(name).replace(/-$/, '')
  const prefix = space === undefined || textOf(space) === 'default' ? '' : `${textOf(space)}_`
  return listOf(dig(template, 'spec', 'containers')).map((container, i) => {
    const limit = dig(container, 'resources', 'limits', 'memory')
    const request = dig(container, 'resources', 'requests', 'memory')
    return {
      runtime: 'kubernetes',
      pod,
      container: textOf(field(container, 'name')!),
      planned: `${prefix}${pod}${kind === 'Pod' ? '' : '-0'}`,
      limitBytes: limit && (memoryOf(limit) || undefined),
      requestBytes: request && memoryOf(request),
      document,
      at: [...at, ...row.template, 'spec', 'containers', i],
      notesAt: [...at, ...row.template, 'metadata', 'annotations'],
    }
  })
}

function composeTargets(tree: Tree, document: number): Target[] {
  const project = field(tree, 'name')
  return [...mapOf(field(tree, 'services')!)].map(([service, at]) => {
    const limit = field(at, 'mem_limit') ?? dig(at, 'deploy', 'resources', 'limits', 'memory')
    const request = field(at, 'mem_reservation') ?? dig(at, 'deploy', 'resources', 'reservations', 'memory')
    const own = field(at, 'container_name')
    const title = project === undefined ? `${service}-1` : `${textOf(project)}-${service}-1`
    return {
      runtime: 'docker',
      pod: service,
      container: service,
      planned: own === undefined ? title : textOf(own),
      limitBytes: limit && (dockerBytes(limit) || undefined),
      requestBytes: request && dockerBytes(request),
      document,
      at: ['services', service],
      notesAt: ['services', service, 'labels'],
    }
  })
}

export interface LimitEdit {
  readonly limitBytes: Bytes
  /** What stands for the container's code; undefined: as the manifest has it. */
  readonly workload?: string
}

interface Change {
  readonly path: Path
  readonly text: string
}

/** A request that was the limit stays the limit; one above the new limit comes down to it. */
export function editLimit(text: string, file: string, target: Target, edit: LimitEdit): Result<string> {
  const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: 'silent', prettyErrors: false })
  const kept = (documents as readonly Document.Parsed[]).filter(
    ({ contents }) => contents !== null && !(isScalar(contents) && contents.value === null),
  )
  const document = kept[target.document]
  if (document === undefined) return userError('import/no-container', file, 'The container is not in this text.', '')
  const changes = target.runtime === 'docker' ? dockerChanges(document, target, edit) : podChanges(target, edit)
  if (edit.workload !== undefined) changes.push(workloadChange(document, target, edit.workload))
  const spliced = splice(text, document, changes)
  if (spliced !== undefined) return { ok: true, value: spliced }
  return catchFault(() => {
    for (const { path, text: value } of changes) setScalar(document, path, value, file)
    return kept
      .map((one) => {
        if (one.directives !== undefined) one.directives.docStart = null
        return one.toString({ lineWidth: 0, flowCollectionPadding: false })
      })
      .join('---\n')
  })
}

function podChanges(target: Target, { limitBytes }: LimitEdit): Change[] {
  const text = limitBytes % MIB === 0 ? `${limitBytes / MIB}Mi` : String(limitBytes)
  const resources = [...target.at, 'resources']
  const changes: Change[] = [{ path: [...resources, 'limits', 'memory'], text }]
  const { requestBytes } = target
  if (requestBytes !== undefined && (requestBytes > limitBytes || requestBytes === target.limitBytes))
    changes.push({ path: [...resources, 'requests', 'memory'], text })
  return changes
}

function dockerChanges(document: Document, target: Target, { limitBytes }: LimitEdit): Change[] {
  const spell = (bytes: Bytes): string => (bytes % MIB === 0 ? `${bytes / MIB}m` : `${bytes}`)
  const text = spell(limitBytes)
  const deployed = [...target.at, 'deploy', 'resources']
  const has = (path: Path): boolean => lookUp(document, path) !== undefined
  const pick = (short: string, side: string): Path[] =>
    [
      [...target.at, short],
      [...deployed, side, 'memory'],
    ].filter(has)
  const limits = pick('mem_limit', 'limits')
  const changes = (limits.length > 0 ? limits : [[...target.at, 'mem_limit']]).map((path) => ({ path, text }))
  if ((target.requestBytes ?? 0) > limitBytes)
    changes.push(...pick('mem_reservation', 'reservations').map((path) => ({ path, text })))
  const swapAt = [...target.at, 'memswap_limit']
  const swap = scalarText(document, swapAt)
  // Memory and swap together: the swap that was allowed stays the same.
  if (swap !== undefined && swap !== '-1' && target.limitBytes !== undefined) {
    const total = dockerBytes({ ...EMPTY, scalar: swap, source: swap })
    if (total > 0) changes.push({ path: swapAt, text: spell(limitBytes + total - target.limitBytes) })
  }
  return changes
}

const EMPTY: Tree = { scalar: '', source: '', items: undefined, fields: undefined, line: 0, path: '', file: '' }

function workloadChange(document: Document, target: Target, text: string): Change {
  if (target.runtime === 'kubernetes')
    return { path: [...target.notesAt, `pagewalk.dev/workload.${target.container}`], text }
  const labels = lookUp(document, target.notesAt)
  if (!isSeq(labels)) return { path: [...target.notesAt, 'pagewalk.workload'], text }
  const prefix = 'pagewalk.workload='
  const at = labels.items.findIndex((item) => isScalar(item) && String(item.value).startsWith(prefix))
  return { path: [...target.notesAt, at < 0 ? labels.items.length : at], text: prefix + text }
}

// ---------------------------------------------------------------- nodes

const keyOf = (key: unknown): string => (isScalar(key) ? String(key.source ?? key.value) : String(key))

/** One step down, through what a merge key brings in. `isOwn`: it stands in this very node. */
function child(
  document: Document,
  node: YamlNode,
  key: string | number,
): { node: YamlNode; isOwn: boolean } | undefined {
  if (isSeq(node) && typeof key === 'number') {
    const item = node.items[key] as YamlNode | undefined
    return item && { node: item, isOwn: true }
  }
  if (!isMap(node)) return undefined
  const own = node.items.find((pair) => keyOf(pair.key) === String(key))?.value as YamlNode | null | undefined
  if (own) return { node: own, isOwn: true }
  const merged = node.items.find((pair) => keyOf(pair.key) === '<<')?.value as YamlNode | undefined
  const sources = isSeq(merged) ? (merged.items as YamlNode[]) : merged ? [merged] : []
  for (const source of sources) {
    const target = isAlias(source) ? source.resolve(document) : source
    const found = target && child(document, target, key)
    if (found) return { node: found.node, isOwn: false }
  }
  return undefined
}

/** The node at a path as it stands there; undefined when any of it comes from elsewhere. */
function lookUpOwn(document: Document, path: Path): YamlNode | undefined {
  let node = document.contents as YamlNode | undefined
  for (const key of path) {
    const found = node && child(document, node, key)
    if (!found?.isOwn || isAlias(found.node)) return undefined
    node = found.node
  }
  return node
}

function lookUp(document: Document, path: Path): YamlNode | undefined {
  let node = document.contents as YamlNode | undefined
  for (const key of path) {
    const found = node && child(document, node, key)?.node
    node = found && isAlias(found) ? found.resolve(document) : found
  }
  return node
}

function scalarText(document: Document, path: Path): string | undefined {
  const node = lookUp(document, path)
  return isScalar(node) ? String(node.source ?? node.value) : undefined
}

/** All changes in the text itself; undefined when one of them has no amount of its own to replace. */
function splice(text: string, document: Document, changes: readonly Change[]): string | undefined {
  const places = changes.map(({ path, text: value }) => {
    const node = lookUpOwn(document, path)
    return isScalar(node) && node.range && node.anchor === undefined && !/["\n]/.test(value)
      ? { from: node.range[0], to: node.range[1], value: /^[\w.]+$/.test(value) ? value : JSON.stringify(value) }
      : undefined
  })
  let edited = text
  const sorted = places.flatMap((place) => (place ? [place] : [])).sort((a, b) => b.from - a.from)
  if (sorted.length < changes.length) return undefined
  for (const { from, to, value } of sorted) edited = edited.slice(0, from) + value + edited.slice(to)
  return edited
}

/** Sets a value in the document; what is shared on the way there becomes its own. */
function setScalar(document: Document, path: Path, value: string, file: string): void {
  for (let depth = 1; depth < path.length; depth++) {
    const parent = path.slice(0, depth)
    if (lookUpOwn(document, parent) !== undefined && !isScalar(lookUpOwn(document, parent))) continue
    const shared = lookUp(document, parent)
    const copy = isMap(shared) || isSeq(shared) ? (shared.clone() as YamlNode) : document.createNode({})
    delete (copy as { anchor?: string }).anchor
    document.setIn(parent, copy)
  }
  document.setIn(path, document.createNode(value))
  if (scalarText(document, path) !== value)
    throw new Fault(
      userError('import/edit', file, `${path.join('.')} cannot be set.`, 'Write the manifest without aliases.'),
    )
}
