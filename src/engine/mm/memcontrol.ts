/**
 * Memory controller of cgroup v2: the struct, charging and uncharging, life and death of a group.
 * What reclaim, throttling and files need of it is in memcg_*.ts.
 * @kernel  mm/memcontrol.c
 * @spec    07
 */
import { listLruReparent } from './list_lru'
import { assert } from '../../util/assert'
import { bytesToPagesCeil, NS_PER_JIFFY, type Bytes, type Pages } from '../../util/units'
import { currentTask, isSuspended, now, suspend } from '../exec'
import { hooks } from '../hooks'
import type { KernelState } from '../state'
import type { Task } from '../task'
import {
  GFP_BIT_DIRECT_RECLAIM,
  GFP_BIT_HIGH,
  GFP_BIT_NOFAIL,
  GFP_BIT_NORETRY,
  GFP_BIT_RETRY_MAYFAIL,
  PAGE_ALLOC_COSTLY_ORDER,
} from './gfp'
import { createLruvec } from './lruvec'
import {
  createMemcgStat,
  MEMCG_STAT_KERNEL,
  MEMCG_STAT_SLAB_RECLAIMABLE,
  MEMCG_STAT_SLAB_UNRECLAIMABLE,
  modMemcgState,
} from './memcg_stat'
import { MEMCG_MAX, MEMCG_OOM, MEMCG_SWAP_FAIL, MEMCG_SWAP_MAX, memcgEvent, NR_MEMCG_EVENTS } from './memcg_events'
import { MEMCG_RECLAIM_RETRIES, memcgReclaim } from './memcg_reclaim'
import {
  consumeStock,
  drainAllStock,
  drainStocksNow,
  MEMCG_CHARGE_BATCH,
  refillStock,
  runDueDrains,
  type MemcgStock,
} from './memcg_stock'
import { memcgAt, ROOT_MEMCG } from './memcg_tree'
import {
  COUNTER_MAX,
  createPageCounter,
  pageCounterCharge,
  pageCounterMargin,
  pageCounterSetLow,
  pageCounterSetMin,
  pageCounterTryCharge,
  pageCounterUncharge,
  type PageCounter,
} from './page_counter'
import { mmOf } from './rss'
import { createPsiGroup, type PsiGroup } from './psi'

// The names that other files know from here.
export * from './memcg_events'
export { handleOverHigh } from './memcg_high'
export { memcgNumaStatText, memcgStatText, modMemcgState } from './memcg_stat'
export { calculateProtection, memcgBelowLow, memcgBelowMin, memcgProtection } from './memcg_protection'
export { handleDrainStock, createMemcgStock } from './memcg_stock'
export { isMemcgDescendant, memcgAt, nextMemcg, onlineMemcg, ROOT_MEMCG } from './memcg_tree'
export type { MemcgStock }

export interface Memcg {
  /** 1 = root; 0 is never used. Ids are reused only after the group is gone and holds no charge. */
  readonly id: number
  /** Parent's id, 0 for the root. */
  readonly parent: number
  /** Cgroup it belongs to. */
  readonly cgroup: number
  /** Ids of the groups directly below, in order of creation; dying ones included. */
  children: number[]
  /** false = removed with charges left (dying). */
  online: boolean
  readonly memory: PageCounter
  readonly swap: PageCounter
  /** Hierarchical and local counts of NR_MEMCG_EVENTS. */
  readonly events: Float64Array
  readonly eventsLocal: Float64Array
  /** Own (not hierarchical) values of memory.stat. Layout: memcg_stat.ts. */
  readonly stat: Float64Array
  /** Kernel objects charged by the byte, and the whole pages that were charged for them. */
  slabBytes: Bytes
  slabPages: Pages
  oomGroup: boolean
  /** Pages that its compressed pages may take. @kernel memcg->zswap_max */
  zswapMax: Pages
  /** Whether its compressed pages may be written on to the swap area. */
  zswapWriteback: boolean
  readonly psi: PsiGroup
}

/** Ids are 16 bits wide. @kernel MEM_CGROUP_ID_MAX */
const MEMCG_ID_MAX = 65535

// ---------------------------------------------------------------- life and death

/**
 * A new group below `parent` (0: the root group).
 * @returns its id, or 0 when there are no ids left (ENOSPC)
 * @kernel  mem_cgroup_css_alloc(), mem_cgroup_css_online()
 */
export function createMemcg(state: KernelState, parent: number, cgroup: number): number {
  releaseDeadMemcgs(state)
  let id = ROOT_MEMCG
  while (state.memcgs[id] !== undefined) id++
  if (id > MEMCG_ID_MAX) return 0
  assert((parent === 0) === (id === ROOT_MEMCG), `memory cgroup ${id} with parent ${parent}`)
  state.memcgs[id] = {
    id,
    parent,
    cgroup,
    children: [],
    online: true,
    memory: createPageCounter(),
    swap: createPageCounter(),
    events: new Float64Array(NR_MEMCG_EVENTS),
    eventsLocal: new Float64Array(NR_MEMCG_EVENTS),
    stat: createMemcgStat(state.nodes.length),
    slabBytes: 0,
    slabPages: 0,
    oomGroup: false,
    zswapMax: COUNTER_MAX,
    zswapWriteback: true,
    psi: createPsiGroup(),
  }
  if (parent !== 0) memcgAt(state, parent).children.push(id)
  for (const node of state.nodes) state.lruvecs[id * state.nodes.length + node.nid] = createLruvec(id, node.nid)
  return id
}

/**
 * The group's cgroup is gone. It stays as a dying group for as long as it holds charges.
 * @kernel  mem_cgroup_css_offline()
 */
export function offlineMemcg(state: KernelState, id: number): void {
  const memcg = memcgAt(state, id)
  assert(memcg.online, `memory cgroup ${id} is already offline`)
  pageCounterSetMin(state.memcgs, id, 0)
  pageCounterSetLow(state.memcgs, id, 0)
  drainStocksNow(state, id)
  memcg.online = false
  const parent = memcg.parent <= ROOT_MEMCG ? 0 : memcg.parent
  for (const lru of [state.dcache.lru, state.dcache.inodeLru, state.shadowNodes.lru, state.zswap.lru])
    listLruReparent(lru, id, parent)
  releaseDeadMemcgs(state)
}

const isDead = (memcg: Memcg): boolean =>
  !memcg.online && memcg.children.length === 0 && memcg.memory.usage === 0 && memcg.swap.usage === 0

/**
 * Forgets dying groups without charges; their counts live on in the parent. Only where no walk is under way.
 * @kernel  mem_cgroup_css_released()
 */
export function releaseDeadMemcgs(state: KernelState): void {
  for (let id = state.memcgs.length - 1; id > ROOT_MEMCG; id--) {
    for (let memcg = state.memcgs[id]; memcg !== undefined && isDead(memcg);) {
      const parent: Memcg = memcgAt(state, memcg.parent)
      for (let i = 0; i < memcg.stat.length; i++) parent.stat[i]! += memcg.stat[i]!
      parent.children = parent.children.filter((child) => child !== memcg!.id)
      state.memcgs[memcg.id] = undefined
      const nrNodes = state.nodes.length
      for (let nid = 0; nid < nrNodes; nid++) state.lruvecs[memcg.id * nrNodes + nid] = undefined
      memcg = parent
    }
  }
}

// ---------------------------------------------------------------- charging

/** 'wait': the running operation was suspended and is to be tried again as a whole. */
export type ChargeResult = 'ok' | 'nomem' | 'wait'

/** What the loop remembers from round to round, and over a suspension in task.retry. */
interface ChargeLoop {
  retries: number
  isDrained: boolean
  hasPassedOom: boolean
  hasRaisedMax: boolean
}

type Step = 'retry' | 'wait' | 'nomem' | 'force'

/**
 * Charges pages to a group before they are used.
 * @param memcgId  an online group; a page of a dying group is charged to onlineMemcg()
 * @returns 'nomem' leaves nothing charged
 * @kernel  mm/memcontrol.c try_charge_memcg()
 * @spec    07 §7.3
 */
export function memcgCharge(state: KernelState, memcgId: number, nr: Pages, gfp: number): ChargeResult {
  if (memcgId === ROOT_MEMCG) {
    pageCounterCharge(state.memcgs, ROOT_MEMCG, 'memory', nr)
    return 'ok'
  }
  return consumeStock(state, memcgId, nr) ? 'ok' : chargeBatch(state, memcgId, nr, gfp)
}

/** The stock is empty: charges a batch, within the limits. */
function chargeBatch(state: KernelState, memcgId: number, nr: Pages, gfp: number): ChargeResult {
  const task = currentTask(state)
  const isResumed = task !== undefined && task.retry.chargeRetries >= 0
  const loop = takeLoop(task)
  let batch = isResumed ? nr : Math.max(nr, MEMCG_CHARGE_BATCH)
  for (;;) {
    const over = pageCounterTryCharge(state.memcgs, memcgId, 'memory', batch)
    if (over === 0) break
    if (batch > nr) {
      batch = nr
      continue
    }
    let step = limitReached(state, { over, nr, gfp, task, loop })
    if (step === 'wait') {
      saveLoop(task, loop)
      return 'wait'
    }
    if (step === 'nomem' && (gfp & (GFP_BIT_NOFAIL | GFP_BIT_HIGH)) !== 0) step = 'force'
    if (step === 'nomem') return 'nomem'
    if (step === 'force') {
      if (!loop.hasRaisedMax) memcgEvent(state, over, MEMCG_MAX)
      pageCounterCharge(state.memcgs, memcgId, 'memory', nr)
      return 'ok'
    }
    if (consumeStock(state, memcgId, nr)) return 'ok'
  }
  if (batch > nr) refillStock(state, memcgId, batch - nr)
  noteOverHigh(state, memcgId, batch, task)
  return 'ok'
}

function takeLoop(task: Task | undefined): ChargeLoop {
  const loop = { retries: MEMCG_RECLAIM_RETRIES, isDrained: false, hasPassedOom: false, hasRaisedMax: false }
  if (task === undefined || task.retry.chargeRetries < 0) return loop
  loop.retries = task.retry.chargeRetries
  loop.isDrained = task.retry.chargeDrained
  loop.hasPassedOom = task.retry.chargePassedOom
  task.retry.chargeRetries = -1
  return loop
}

function saveLoop(task: Task | undefined, loop: ChargeLoop): void {
  assert(task !== undefined, 'a charge without a task was suspended')
  task.retry.chargeRetries = loop.retries
  task.retry.chargeDrained = loop.isDrained
  task.retry.chargePassedOom = loop.hasPassedOom
}

interface LimitHit {
  /** Group whose limit is in the way. */
  readonly over: number
  readonly nr: Pages
  readonly gfp: number
  readonly task: Task | undefined
  readonly loop: ChargeLoop
}

/** Smallest order of a block that holds `nr` pages. @kernel get_order() */
const orderOf = (nr: Pages): number => 32 - Math.clz32(nr - 1)

const isDying = (task: Task | undefined): boolean => task !== undefined && task.killSignal !== 0

/** One round at the limit: reclaim, and if that does not help, decide what next. */
function limitReached(state: KernelState, hit: LimitHit): Step {
  const { over, nr, gfp, task, loop } = hit
  if (task?.memalloc === true) return 'force'
  if ((gfp & GFP_BIT_DIRECT_RECLAIM) === 0) return 'nomem'
  if (state.config.series !== '6.1' && task?.isOomVictim === true && mmOf(state, task)?.oomSkip === true) return 'nomem'
  memcgEvent(state, over, MEMCG_MAX)
  loop.hasRaisedMax = true
  const reclaimed = memcgReclaim(state, over, nr, gfp)
  if (isSuspended(state)) return 'wait'
  runDueDrains(state)
  if (pageCounterMargin(memcgAt(state, over).memory) >= nr) return 'retry'
  if (!loop.isDrained) {
    drainAllStock(state, over)
    loop.isDrained = true
    return 'retry'
  }
  if (gfp & GFP_BIT_NORETRY) return 'nomem'
  if (reclaimed > 0 && nr <= 1 << PAGE_ALLOC_COSTLY_ORDER) return 'retry'
  if (loop.retries > 0) {
    loop.retries--
    return 'retry'
  }
  if (gfp & GFP_BIT_RETRY_MAYFAIL) return 'nomem'
  if (loop.hasPassedOom && (task === undefined || isDying(task))) return 'nomem'
  return outOfRetries(state, hit)
}

/**
 * Sixteen fruitless rounds are over: the OOM killer of the group.
 * @kernel  mem_cgroup_oom()
 * @simplifies  the kernel goes on trying while another task dies; ours sleeps a tick so that it can die
 */
function outOfRetries(state: KernelState, { over, nr, gfp, task, loop }: LimitHit): Step {
  const order = orderOf(nr)
  if (order > PAGE_ALLOC_COSTLY_ORDER) return 'nomem'
  memcgEvent(state, over, MEMCG_OOM)
  if (!hooks.memcgOutOfMemory(state, over, gfp, order)) return 'nomem'
  loop.hasPassedOom = true
  loop.retries = MEMCG_RECLAIM_RETRIES
  if (task === undefined || isDying(task) || pageCounterMargin(memcgAt(state, over).memory) >= nr) return 'retry'
  suspend(state, now(state) + NS_PER_JIFFY, 'mem_cgroup_out_of_memory')
  return 'wait'
}

/**
 * After a charge: a group above memory.high or memory.swap.high makes its task pay on the way back to user mode.
 * @kernel  try_charge_memcg(), label done_restock
 * @simplifies  a long kernel operation pays at its end too, not as soon as it owes more than one batch
 */
function noteOverHigh(state: KernelState, memcgId: number, batch: Pages, task: Task | undefined): void {
  if (task === undefined) return
  for (let i = memcgId; i !== ROOT_MEMCG;) {
    const memcg = memcgAt(state, i)
    if (memcg.memory.usage > memcg.memory.high || memcg.swap.usage > memcg.swap.high) {
      task.overHigh += batch
      return
    }
    i = memcg.parent
  }
}

// ---------------------------------------------------------------- uncharging

/** User pages, page cache and page tables leave at once. @kernel mm/memcontrol.c uncharge_batch() */
export function memcgUncharge(state: KernelState, memcgId: number, nr: Pages): void {
  pageCounterUncharge(state.memcgs, memcgId, 'memory', nr)
}

/** Kernel pages (stacks, slab) go to this CPU's stock first. @kernel mm/memcontrol.c obj_cgroup_uncharge_pages() */
export function memcgUnchargeKmem(state: KernelState, memcgId: number, nr: Pages): void {
  if (memcgId === ROOT_MEMCG || !memcgAt(state, memcgId).online) memcgUncharge(state, memcgId, nr)
  else refillStock(state, memcgId, nr)
}

/**
 * Kernel objects are charged by the byte; the counters move by whole pages.
 * @kernel  mm/memcontrol.c obj_cgroup_charge()
 * @simplifies  one remainder a group instead of one a CPU
 */
export function memcgChargeSlab(
  state: KernelState,
  memcgId: number,
  bytes: Bytes,
  object: { readonly isReclaimable: boolean; readonly gfp: number },
): ChargeResult {
  return memcgChargeBytes(state, memcgId, bytes, { item: slabItem(object), gfp: object.gfp })
}

const slabItem = (object: { readonly isReclaimable: boolean }): number =>
  object.isReclaimable ? MEMCG_STAT_SLAB_RECLAIMABLE : MEMCG_STAT_SLAB_UNRECLAIMABLE

/** @param what  item of memory.stat that counts the bytes. @kernel mm/memcontrol.c obj_cgroup_charge() */
export function memcgChargeBytes(
  state: KernelState,
  memcgId: number,
  bytes: Bytes,
  what: { readonly item: number; readonly gfp: number },
): ChargeResult {
  const memcg = memcgAt(state, memcgId)
  const pages = bytesToPagesCeil(memcg.slabBytes + bytes) - memcg.slabPages
  const result = pages === 0 ? 'ok' : memcgCharge(state, memcgId, pages, what.gfp)
  if (result === 'ok') countBytes(state, memcg, bytes, what.item)
  return result
}

/** @kernel  mm/memcontrol.c obj_cgroup_uncharge() */
export function memcgUnchargeSlab(
  state: KernelState,
  memcgId: number,
  bytes: Bytes,
  object: { readonly isReclaimable: boolean },
): void {
  memcgUnchargeBytes(state, memcgId, bytes, slabItem(object))
}

/** @kernel  mm/memcontrol.c obj_cgroup_uncharge() */
export function memcgUnchargeBytes(state: KernelState, memcgId: number, bytes: Bytes, item: number): void {
  const memcg = memcgAt(state, memcgId)
  assert(
    memcg.slabBytes >= bytes,
    `uncharge of ${bytes} slab bytes from group ${memcgId}, which has ${memcg.slabBytes}`,
  )
  const pages = memcg.slabPages - bytesToPagesCeil(memcg.slabBytes - bytes)
  countBytes(state, memcg, -bytes, item)
  if (pages > 0) memcgUnchargeKmem(state, memcgId, pages)
}

function countBytes(state: KernelState, memcg: Memcg, bytes: Bytes, item: number): void {
  const before = memcg.slabPages
  memcg.slabBytes += bytes
  memcg.slabPages = bytesToPagesCeil(memcg.slabBytes)
  modMemcgState(state, memcg.id, item, bytes)
  modMemcgState(state, memcg.id, MEMCG_STAT_KERNEL, memcg.slabPages - before)
}

// ---------------------------------------------------------------- swap slots

/**
 * Charges swap slots to the group that owns the pages; a refusal counts 'max' and 'fail'.
 * @returns false: the page stays in memory
 * @kernel  mm/memcontrol.c __mem_cgroup_try_charge_swap()
 * @simplifies  slots of a dying group stay with it instead of going to its nearest living ancestor
 */
export function memcgSwapCharge(state: KernelState, memcgId: number, nr: Pages): boolean {
  if (pageCounterTryCharge(state.memcgs, memcgId, 'swap', nr) === 0) return true
  memcgEvent(state, memcgId, MEMCG_SWAP_MAX)
  memcgEvent(state, memcgId, MEMCG_SWAP_FAIL)
  return false
}

/** @kernel  mm/memcontrol.c __mem_cgroup_uncharge_swap() */
export function memcgSwapUncharge(state: KernelState, memcgId: number, nr: Pages): void {
  pageCounterUncharge(state.memcgs, memcgId, 'swap', nr)
}

/**
 * Swap that the limits still allow: the smallest room on the way up. Free slots of the machine are not looked at.
 * @returns pages; COUNTER_MAX or little less when there is no limit
 * @kernel  mm/memcontrol.c mem_cgroup_get_nr_swap_pages(), without get_nr_swap_pages()
 */
export function memcgSwapRoom(state: KernelState, memcgId: number): Pages {
  let room = Number.MAX_SAFE_INTEGER
  for (let i = memcgId; i > ROOT_MEMCG;) {
    const memcg = memcgAt(state, i)
    room = Math.min(room, memcg.swap.max - memcg.swap.usage)
    i = memcg.parent
  }
  return room
}
