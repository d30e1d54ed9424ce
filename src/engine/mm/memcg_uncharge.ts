/**
 * Uncharging page by page. Inside a batch, pages of one group are counted and leave together, because a walk up the
 * tree costs as much as freeing a page (measured: unmapping takes 0.9 of the time). Who begins a batch ends it before
 * anything else looks at the counters.
 * @kernel  mm/memcontrol.c struct uncharge_gather
 */
import type { Pages } from '../../util/units'
import type { KernelState } from '../state'
import { memcgUncharge } from './memcontrol'

/** `of`: whose batch is open, if any. A machine that an assertion stopped in the middle leaves nothing to another one. */
const batch: { of: KernelState | undefined; memcg: number; pages: Pages } = { of: undefined, memcg: 0, pages: 0 }

/** One page of a group is given back; 0 = it was charged to nobody. @kernel mm/memcontrol.c uncharge_folio() */
export function unchargePage(state: KernelState, memcg: number): void {
  if (memcg === 0) return
  if (batch.of !== state) {
    memcgUncharge(state, memcg, 1)
    return
  }
  if (memcg !== batch.memcg) {
    flush(state)
    batch.memcg = memcg
  }
  batch.pages++
}

/** A large folio of a group is given back. @kernel mm/memcontrol.c uncharge_folio() */
export function unchargePages(state: KernelState, memcg: number, nr: Pages): void {
  if (memcg === 0) return
  unchargePage(state, memcg)
  if (batch.of === state) batch.pages += nr - 1
  else memcgUncharge(state, memcg, nr - 1)
}

function flush(state: KernelState): void {
  const { memcg, pages } = batch
  batch.pages = 0
  if (pages > 0) memcgUncharge(state, memcg, pages)
}

/** @kernel  mm/memcontrol.c uncharge_gather_clear() */
export function beginUncharge(state: KernelState): void {
  batch.of = state
  batch.pages = 0
}

/** @kernel  mm/memcontrol.c uncharge_batch() */
export function endUncharge(state: KernelState): void {
  batch.of = undefined
  flush(state)
}
