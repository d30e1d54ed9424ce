/**
 * The complaint about a frame that is given back although it is not allocated.
 * @kernel  mm/page_alloc.c bad_page(), mm/debug.c __dump_page()
 */
import type { Pfn } from '../../util/units'
import { currentTask } from '../exec'
import { klog } from '../klog'
import type { KernelState } from '../state'
import { addTaint, TAINT_BAD_PAGE } from '../taint'
import { dumpStack } from './dump_stack'
import { freeBlockOrder } from './buddy'
import { pageIndex, pageZoneIndex } from './memmap'

/** Where node, zone and the last CPU stand in `page->flags` of Debian's kernels. @kernel include/linux/page-flags-layout.h */
const NODE_UNIT = 2n ** 54n
const ZONE_UNIT = 2n ** 51n
const LAST_CPUPID_UNIT = 2n ** 30n
const LAST_CPUPID_NONE = 0x1fffffn

function flagsText(state: KernelState, pfn: Pfn): string {
  const { nid, idx } = state.zones[pageZoneIndex(state.memmap, pfn)]!
  const value = BigInt(nid) * NODE_UNIT + BigInt(idx) * ZONE_UNIT + LAST_CPUPID_NONE * LAST_CPUPID_UNIT
  return `0x${value.toString(16)}(node=${nid}|zone=${idx}|lastcpupid=0x${LAST_CPUPID_NONE.toString(16)})`
}

/** @kernel mm/debug.c __dump_page() @simplifies no addresses and no raw words: our frames are rows of columns */
function dumpFreePage(state: KernelState, pfn: Pfn, reason: string): string[] {
  const index = pageIndex(state.memmap, pfn) >>> 0
  const type = state.config.series !== '6.1' && freeBlockOrder(state, pfn) >= 0 ? ['page_type: f0(buddy)'] : []
  return [
    `page: refcount:-1 mapcount:0 mapping:0000000000000000 index:0x${index.toString(16)} pfn:0x${pfn.toString(16)}`,
    `flags: ${flagsText(state, pfn)}`,
    ...type,
    `page dumped because: ${reason}`,
  ]
}

/**
 * Somebody gave back a frame that was free already: its reference count fell to −1.
 * @kernel  mm/page_alloc.c bad_page(), page_bad_reason()
 * @simplifies  the kernel finds out when the frame is next allocated, and loses it; here it is told at once, and the
 *   second free changes nothing. No rate limit: only people free by hand.
 */
export function badPage(state: KernelState, pfn: Pfn): void {
  const comm = currentTask(state)?.comm ?? `swapper/${state.exec.cpu}`
  klog(state, `BUG: Bad page state in process ${comm}  pfn:${pfn.toString(16).padStart(5, '0')}`)
  for (const line of dumpFreePage(state, pfn, 'nonzero _refcount')) klog(state, line)
  for (const line of dumpStack(state, 'badPage', 'other')) klog(state, line)
  addTaint(state, TAINT_BAD_PAGE)
}
