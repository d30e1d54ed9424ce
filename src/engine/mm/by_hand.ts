/**
 * Memory of the kernel that a person asked for and holds until he gives it back: objects of a slab cache, kmalloc.
 * Requests go through the same functions as those of the kernel itself, on the CPU that is named.
 * @model  a test module like lib/test_vmalloc.c or lib/slub_kunit.c would do the same
 */
import type { Errno } from '../../util/errno'
import type { Bytes } from '../../util/units'
import { klog } from '../klog'
import type { KernelState } from '../state'
import { parseWords } from './by_hand_words'

export type HandKind = 'objects' | 'kmalloc' | 'vmalloc'

/** One allocation in somebody's hand. */
export interface HeldMemory {
  readonly id: number
  /** Physical; counted from VMALLOC_START when vmStart is there. */
  readonly address: Bytes
  /** What was asked for, as it was written: 'cache=dentry', 'size=5000'. */
  readonly request: string
  readonly sizeBytes: Bytes
  /** vmalloc: first page of the area. */
  readonly vmStart?: number
  /** The way the allocation took, see slub_path.ts; '' when it has no such thing. */
  readonly path: string
}

/** Everything of one kind that is held. */
export interface HandTable {
  nextId: number
  held: HeldMemory[]
  /** What the last operation did: 'alloc 3 alloc_fastpath', '' at first. */
  last: string
}

export type ByHand = Record<HandKind, HandTable>

const emptyTable = (): HandTable => ({ nextId: 1, held: [], last: '' })

/** Nothing is held. @model see above */
export const createByHand = (): ByHand => ({ objects: emptyTable(), kmalloc: emptyTable(), vmalloc: emptyTable() })

/** One line of input, read. */
export interface HandRequest {
  readonly verb: 'alloc' | 'free'
  /** The word behind `free`. */
  readonly id: string
  readonly values: Readonly<Record<string, string>>
}

/** How a kind allocates and frees. */
export interface HandOps {
  /** Keys that `alloc` understands. */
  readonly keys: readonly string[]
  /** @returns what is held from now on; or why not: the errno, and words for the kernel log ('' = the kernel spoke) */
  readonly alloc: (
    state: KernelState,
    values: Readonly<Record<string, string>>,
  ) => Omit<HeldMemory, 'id'> | readonly [Errno, string]
  /** What the kernel would make of a second free. */
  readonly freedAgain: string
  /** @returns the way that the free took, or '' */
  readonly free: (state: KernelState, held: HeldMemory) => string
}

/** Allocations of one write, at most. */
const COUNT_MAX = 4096

function refuse(state: KernelState, kind: HandKind, errno: Errno, why: string): Errno {
  if (why !== '') klog(state, `pagewalk/${kind}: ${why}`)
  return errno
}

/** 'alloc cache=dentry cpu=1', 'free 3' or 'free id=3'. */
function parseRequest(text: string, keys: readonly string[]): HandRequest | string {
  const verb = /^\s*(\S*)/.exec(text)?.[1] ?? ''
  if (verb !== 'alloc' && verb !== 'free') return `'${verb}' is neither 'alloc' nor 'free'`
  const words = parseWords(text, verb === 'free' ? ['id', ...keys] : keys)
  if (typeof words === 'string') return words
  const { values, operands } = words
  const [id, ...others] = [...(values.id === undefined ? [] : [values.id]), ...operands]
  const extra = verb === 'alloc' ? id : others[0]
  if (extra !== undefined) return `'${extra}' is not understood; known are ${keys.join(', ')}`
  if (verb === 'free' && id === undefined) return `'free' needs a number from this file, or 'all'`
  return { verb, id: id ?? '', values }
}

/** Numbers of one `free`: 'all', '3' or '3-7'. */
function idsOf(table: HandTable, text: string): number[] | undefined {
  if (text === 'all') return table.held.map(({ id }) => id)
  const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
  if (first === '' || Number(last) < Number(first) || Number(last) - Number(first) >= COUNT_MAX) return undefined
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i)
}

function freeHeld(state: KernelState, kind: HandKind, ops: HandOps, text: string): Errno | undefined {
  const table = state.byHand[kind]
  const ids = idsOf(table, text)
  if (ids === undefined) return refuse(state, kind, 'EINVAL', `'${text}' is no number from this file`)
  for (const id of ids) {
    if (table.held.some((row) => row.id === id)) continue
    if (id >= 1 && id < table.nextId) return refuse(state, kind, 'EINVAL', `${id} was freed before: ${ops.freedAgain}`)
    return refuse(state, kind, 'ENOENT', `${id} was never allocated`)
  }
  for (const id of ids) {
    const at = table.held.findIndex((row) => row.id === id)
    const path = ops.free(state, table.held.splice(at, 1)[0]!)
    table.last = `free ${id} ${path}`.trimEnd()
  }
  return undefined
}

function allocHeld(
  state: KernelState,
  kind: HandKind,
  ops: HandOps,
  values: Readonly<Record<string, string>>,
): Errno | undefined {
  const count = Number(values.count ?? 1)
  if (!Number.isInteger(count) || count < 1 || count > COUNT_MAX)
    return refuse(state, kind, 'EINVAL', `count=${values.count} is not 1 to ${COUNT_MAX}`)
  const table = state.byHand[kind]
  for (let i = 0; i < count; i++) {
    const got = ops.alloc(state, values)
    if (Array.isArray(got)) return refuse(state, kind, got[0] as Errno, got[1] as string)
    const id = table.nextId++
    table.held.push({ id, ...(got as Omit<HeldMemory, 'id'>) })
    table.last = `alloc ${id} ${(got as HeldMemory).path}`.trimEnd()
  }
  return undefined
}

/**
 * Does what one line says.
 * @param text  'alloc KEY=VALUE… [count=N] [cpu=N]' or 'free ID|FIRST-LAST|all [cpu=N]'
 * @returns the kernel's refusal; our explanation is in the kernel log then. What was allocated before a failure stays.
 * @model   see above
 */
export function handWrite(state: KernelState, kind: HandKind, ops: HandOps, text: string): Errno | undefined {
  const request = parseRequest(text, [...ops.keys, 'cpu', 'count'])
  if (typeof request === 'string') return refuse(state, kind, 'EINVAL', request)
  const own = state.exec.cpu
  const cpu = Number(request.values.cpu ?? own)
  if (state.cpuNode[cpu] === undefined)
    return refuse(
      state,
      kind,
      'EINVAL',
      `cpu=${request.values.cpu}: this machine has CPUs 0 to ${state.cpuNode.length - 1}`,
    )
  state.exec.cpu = cpu
  const errno =
    request.verb === 'free' ? freeHeld(state, kind, ops, request.id) : allocHeld(state, kind, ops, request.values)
  state.exec.cpu = own
  return errno
}
