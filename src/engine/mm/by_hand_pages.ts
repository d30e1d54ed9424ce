/**
 * Pages that a person asks for and gives back by hand, as a driver under test would: the request goes through the same
 * door as everybody else's, with the flags that were written. The file is in procfs/pagewalk_pages.ts.
 * @model  ours; a kernel module with a debugfs file would do the same
 */
import type { Errno } from '../../util/errno'
import { NS_PER_JIFFY, type Ns, type Pages, type Pfn } from '../../util/units'
import { taskMemcg } from '../cgroup'
import { currentTask, isSuspended, now } from '../exec'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import { badPage } from './bad_page'
import { freeBlockOrder } from './buddy'
import { GFP_BIT_ACCOUNT, MAX_PAGE_ORDER } from './gfp'
import { memcgCharge, memcgUncharge, modMemcgState } from './memcontrol'
import { MEMCG_STAT_KERNEL } from './memcg_stat'
import {
  hasFlag,
  pageFlags,
  pageMemcg,
  pageZoneIndex,
  PG_KERNEL,
  PG_OWNER_MASK,
  PG_PCP,
  PG_TAIL,
  setFlag,
  setFlags,
  setFlagsOfRange,
  setPageMemcg,
  setPageOrder,
} from './memmap'
import { allocPages, freePages } from './page_alloc'

/** One request: `count` blocks of 2^order frames. */
export interface PageRequest {
  readonly order: number
  readonly gfp: number
  /** Node whose zonelist is used; −1 that of the running CPU. */
  readonly nid: number
  readonly count: number
}

/** Blocks that one request got. */
export interface HeldBlocks extends PageRequest {
  readonly id: number
  readonly atNs: Ns
  readonly pfns: Pfn[]
}

export interface HandPages {
  lastId: number
  /** Complete, oldest first. */
  readonly held: HeldBlocks[]
  /** Still in the slow path; `pid` is the writer's. */
  readonly waiting: (HeldBlocks & { readonly pid: number })[]
}

/** @model  see the file's head */
export const createHandPages = (): HandPages => ({ lastId: 0, held: [], waiting: [] })

/** Blocks of one request, so that a slip of the finger does not fill the machine's record. */
export const HAND_COUNT_MAX = 65536

const nidOf = (state: KernelState, pfn: Pfn): number => state.zones[pageZoneIndex(state.memmap, pfn)]!.nid

/**
 * Asks for pages. All blocks or none: those of a request that fails half-way are given back.
 * @param request  count 1 … HAND_COUNT_MAX; nid a node of the machine or −1
 * @returns ENOMEM no memory, or an order that no zone can have
 * @model   a request that has to wait goes on in the background, where the kernel's writer would sleep in write()
 */
export function allocByHand(state: KernelState, request: PageRequest): Errno | undefined {
  const blocks: HeldBlocks = { ...request, id: state.handPages.lastId + 1, atNs: now(state), pfns: [] }
  const outcome = fill(state, blocks)
  if (outcome === 'ENOMEM') return outcome
  state.handPages.lastId = blocks.id
  if (outcome === 'done') {
    state.handPages.held.push(blocks)
    return undefined
  }
  state.handPages.waiting.push({ ...blocks, pid: state.exec.pid })
  schedule(state.queue, outcome, { kind: 'allocPagesByHand', id: blocks.id })
  return undefined
}

/** Event 'allocPagesByHand': the slow path goes on, unless the writer was killed: then nothing is kept. */
export function handleAllocPages(state: KernelState, event: { readonly id: number }): void {
  const { waiting, held } = state.handPages
  const at = waiting.findIndex((w) => w.id === event.id)
  const blocks = waiting[at]
  if (blocks === undefined) return
  const task = state.tasks[blocks.pid]
  state.exec.pid = task === undefined ? 0 : blocks.pid
  state.exec.cpu = task?.cpu ?? 0
  const isKilled = blocks.pid !== 0 && (task === undefined || task.killSignal !== 0 || task.state === 'Z')
  const outcome = isKilled ? giveUp(state, blocks) : fill(state, blocks)
  if (typeof outcome === 'number') {
    schedule(state.queue, outcome, { kind: 'allocPagesByHand', id: blocks.id })
    return
  }
  waiting.splice(at, 1)
  const { pid: _writer, ...complete } = blocks
  if (outcome === 'done') held.push(complete)
}

/** @returns when to go on, if the request has to wait */
function fill(state: KernelState, blocks: HeldBlocks): 'done' | 'ENOMEM' | Ns {
  while (blocks.pfns.length < blocks.count) {
    const pfn = takeBlock(state, blocks)
    if (isSuspended(state)) {
      const { exec } = state
      const untilNs = Number.isFinite(exec.suspendUntilNs) ? exec.suspendUntilNs : now(state) + NS_PER_JIFFY
      exec.suspendUntilNs = -1
      exec.suspendReason = ''
      exec.waitPfn = 0
      return Math.max(untilNs, now(state) + 1)
    }
    if (pfn === 0) return giveUp(state, blocks)
    blocks.pfns.push(pfn)
  }
  return 'done'
}

function giveUp(state: KernelState, blocks: HeldBlocks): 'ENOMEM' {
  for (const pfn of blocks.pfns.splice(0)) releaseBlock(state, pfn, blocks.order)
  return 'ENOMEM'
}

/** @returns 0 = no memory, the charge was refused, or waiting */
function takeBlock(state: KernelState, { gfp, order, nid }: PageRequest): Pfn {
  state.exec.mayStop = currentTask(state) !== undefined
  const pfn = allocPages(state, gfp, order, nid < 0 ? undefined : nid)
  state.exec.mayStop = false
  if (pfn === 0) return 0
  const m = state.memmap
  if ((gfp & GFP_BIT_ACCOUNT) !== 0) {
    const task = currentTask(state)
    const memcg = task === undefined ? 1 : taskMemcg(state, task)
    if (memcgCharge(state, memcg, 1 << order, gfp) !== 'ok' || isSuspended(state)) {
      freePages(state, pfn, order)
      return 0
    }
    setPageMemcg(m, pfn, memcg)
    modMemcgState(state, memcg, MEMCG_STAT_KERNEL, 1 << order, nidOf(state, pfn))
  }
  setFlag(m, pfn, PG_KERNEL)
  setPageOrder(m, pfn, order)
  setFlagsOfRange(m, pfn + 1, (1 << order) - 1, PG_TAIL)
  return pfn
}

function releaseBlock(state: KernelState, pfn: Pfn, order: number): void {
  const m = state.memmap
  const memcg = pageMemcg(m, pfn)
  const pages: Pages = 1 << order
  if (memcg !== 0) modMemcgState(state, memcg, MEMCG_STAT_KERNEL, -pages, nidOf(state, pfn))
  setFlags(m, pfn, 0)
  setPageMemcg(m, pfn, 0)
  freePages(state, pfn, order)
  if (memcg !== 0) memcgUncharge(state, memcg, pages)
}

/**
 * Gives back all blocks of one request.
 * @returns ENOENT no such request
 * @model   see the file's head
 */
export function freeRequestByHand(state: KernelState, id: number): Errno | undefined {
  const { held } = state.handPages
  const at = held.findIndex((h) => h.id === id)
  const blocks = held[at]
  if (blocks === undefined) return 'ENOENT'
  held.splice(at, 1)
  giveUp(state, blocks)
  return undefined
}

/**
 * Gives back one block by its first frame.
 * @returns EINVAL no such frame, or a frame that is free already, which the kernel log complains about; EPERM a frame of
 *   somebody else's
 * @model   see the file's head
 */
export function freePageByHand(state: KernelState, pfn: Pfn): Errno | undefined {
  const { held } = state.handPages
  for (const [at, blocks] of held.entries()) {
    const i = blocks.pfns.indexOf(pfn)
    if (i < 0) continue
    blocks.pfns.splice(i, 1)
    if (blocks.pfns.length === 0) held.splice(at, 1)
    releaseBlock(state, pfn, blocks.order)
    return undefined
  }
  if (pfn <= 0 || pfn >= state.memmap.endPfn || pageZoneIndex(state.memmap, pfn) < 0) return 'EINVAL'
  if (!isFree(state, pfn)) return 'EPERM'
  badPage(state, pfn)
  return 'EINVAL'
}

/** On a free list or a per-CPU list, as the first frame of its block or inside it. */
function isFree(state: KernelState, pfn: Pfn): boolean {
  for (let order = 0; order <= MAX_PAGE_ORDER; order++) {
    const head = pfn & ~((1 << order) - 1)
    if (freeBlockOrder(state, head) >= order) return true
  }
  return hasFlag(state.memmap, pfn, PG_PCP) || (pageFlags(state.memmap, pfn) & PG_OWNER_MASK) === 0
}

/** One sentence for each block that is not what its request says. @model for checkInvariants() */
export function checkHandPages(state: KernelState): string[] {
  const found: string[] = []
  for (const { id, order, pfns } of [...state.handPages.held, ...state.handPages.waiting]) {
    for (const pfn of pfns) {
      if ((pageFlags(state.memmap, pfn) & PG_OWNER_MASK) !== PG_KERNEL)
        found.push(`pfn ${pfn}, held by hand as request ${id}, is not the kernel's`)
      for (let i = 1; i < 1 << order; i++)
        if (!hasFlag(state.memmap, pfn + i, PG_TAIL)) found.push(`pfn ${pfn + i} is no tail of request ${id}`)
    }
  }
  return found
}
