/**
 * Per-CPU stocks: pages that were charged in advance, so that most charges touch no counter. A stock belongs to one
 * group; its pages are part of memory.current although nobody uses them.
 * @kernel  mm/memcontrol.c consume_stock(), refill_stock(), drain_all_stock()
 * @spec    07 §7.3
 */
import { AssertionError } from '../../util/assert'
import { NS_PER_US, type Ns, type Pages } from '../../util/units'
import { now } from '../exec'
import { schedule } from '../queue'
import type { KernelState } from '../state'
import { isMemcgDescendant, memcgAt, ROOT_MEMCG } from './memcg_tree'
import { pageCounterUncharge } from './page_counter'

/** One CPU's pre-charged pages. */
export interface MemcgStock {
  /** Memcg id, 0 = empty. */
  memcg: number
  pages: Pages
  /** A drain asked for by another CPU takes effect then; −1 none. */
  drainAtNs: Ns
}

/** Pages charged at once, and the most that a stock keeps. @kernel MEMCG_CHARGE_BATCH */
export const MEMCG_CHARGE_BATCH: Pages = 64

/**
 * Time until another CPU runs the work item that empties its stock.
 * @model  the kernel queues it on that CPU's workqueue; spec 11 §11.7 leaves the latency open
 */
export const REMOTE_DRAIN_NS: Ns = 10 * NS_PER_US

export const createMemcgStock = (): MemcgStock => ({ memcg: 0, pages: 0, drainAtNs: -1 })

function stockOf(state: KernelState, cpu: number): MemcgStock {
  const stock = state.memcgStocks[cpu]
  if (stock === undefined) throw new AssertionError(`CPU ${cpu} has no memcg stock`)
  return stock
}

/** Takes `nr` pages from this CPU's stock if it belongs to the group and holds as many. @kernel consume_stock() */
export function consumeStock(state: KernelState, memcgId: number, nr: Pages): boolean {
  const stock = stockOf(state, state.exec.cpu)
  if (nr > MEMCG_CHARGE_BATCH || stock.memcg !== memcgId || stock.pages < nr) return false
  stock.pages -= nr
  return true
}

/**
 * Pages that this CPU may charge to the group one by one and still find in its stock. The root group has no limits, and
 * needs no stock: as many as others have.
 * @kernel  consume_stock()
 */
export function stockedFor(state: KernelState, memcgId: number): Pages {
  if (memcgId === ROOT_MEMCG) return MEMCG_CHARGE_BATCH
  const stock = stockOf(state, state.exec.cpu)
  return stock.memcg === memcgId ? stock.pages : 0
}

/** Gives a CPU's pre-charged pages back to the counters. @kernel drain_stock() */
function drainStock(state: KernelState, stock: MemcgStock): void {
  stock.drainAtNs = -1
  const { memcg, pages } = stock
  if (memcg === 0) return
  stock.memcg = 0
  stock.pages = 0
  if (pages > 0) pageCounterUncharge(state.memcgs, memcg, 'memory', pages)
}

/** Keeps charged pages on this CPU; another group's pages leave first. @kernel refill_stock() */
export function refillStock(state: KernelState, memcgId: number, nr: Pages): void {
  const stock = stockOf(state, state.exec.cpu)
  if (stock.memcg !== memcgId) {
    drainStock(state, stock)
    stock.memcg = memcgId
  }
  stock.pages += nr
  if (stock.pages > MEMCG_CHARGE_BATCH) drainStock(state, stock)
}

/**
 * Empties the stocks of a subtree: this CPU's at once, the others' a little later.
 * @kernel  drain_all_stock()
 */
export function drainAllStock(state: KernelState, rootId: number): void {
  for (let cpu = 0; cpu < state.memcgStocks.length; cpu++) {
    const stock = stockOf(state, cpu)
    if (stock.memcg === 0 || stock.pages === 0 || !isMemcgDescendant(state, stock.memcg, rootId)) continue
    if (cpu === state.exec.cpu) drainStock(state, stock)
    else if (stock.drainAtNs < 0) {
      stock.drainAtNs = now(state) + REMOTE_DRAIN_NS
      schedule(state.queue, stock.drainAtNs, { kind: 'drainStock', cpu, memcg: stock.memcg })
    }
  }
}

/** Other CPUs' work that is over by now: a loop that spends time inside one event would otherwise never see it. */
export function runDueDrains(state: KernelState): void {
  const time = now(state)
  for (const stock of state.memcgStocks) if (stock.drainAtNs >= 0 && stock.drainAtNs <= time) drainStock(state, stock)
}

/** Event 'drainStock'. Stale when the stock was emptied since. @kernel drain_local_stock() */
export function handleDrainStock(state: KernelState, event: { readonly cpu: number; readonly memcg: number }): void {
  const stock = stockOf(state, event.cpu)
  if (stock.drainAtNs >= 0 && stock.drainAtNs <= now(state)) drainStock(state, stock)
}

/** Empties every stock of the subtree now: the group is going away. @kernel mem_cgroup_css_offline() */
export function drainStocksNow(state: KernelState, rootId: number): void {
  for (const stock of state.memcgStocks) {
    if (stock.memcg !== 0 && isMemcgDescendant(state, stock.memcg, rootId)) drainStock(state, stock)
  }
}

/** Pages of a group that sit in stocks, for invariants. @model sum over CPUs */
export const stockedPages = (state: KernelState, memcgId: number): Pages =>
  state.memcgStocks.reduce((sum, stock) => sum + (stock.memcg === memcgAt(state, memcgId).id ? stock.pages : 0), 0)
