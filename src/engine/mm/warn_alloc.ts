/**
 * What the kernel log says of an allocation that failed, and of one that nobody may ask for.
 * @kernel  mm/page_alloc.c warn_alloc(), __alloc_pages_noprof()
 * @spec    06 §6.5 last paragraph
 */
import { memsAllowed } from './cpuset_mems'
import { NS_PER_S } from '../../util/units'
import { currentTask, now } from '../exec'
import { klog } from '../klog'
import { ratelimit } from '../ratelimit'
import type { KernelState } from '../state'
import { addTaint, firstTime, TAINT_WARN } from '../taint'
import { dumpStack } from './dump_stack'
import { GFP_ANON_FAULT, GFP_BIT_DMA, GFP_BIT_NOFAIL, GFP_BIT_NOWARN, gfpZone, ZONE_DMA } from './gfp'
import { formatGfp } from './gfp_names'
import { nodeListText, showMem } from './show_mem'

/** One report each ten seconds. @kernel mm/page_alloc.c warn_alloc() nopage_rs */
const NOPAGE_LIMIT = { intervalNs: 10 * NS_PER_S, burst: 1 } as const

/**
 * Reports a failed request, unless it asked for silence or the last report is less than ten seconds old.
 * @param nodemask  nodes that the request was confined to
 * @param what  what failed: 'page allocation failure: order:4', 'vmalloc error: size 8192, failed to allocate pages'
 * @kernel  mm/page_alloc.c warn_alloc()
 */
export function warnAlloc(state: KernelState, gfp: number, what: string, nodemask?: readonly number[]): void {
  if ((gfp & GFP_BIT_NOWARN) !== 0) return
  const { mayPrint, suppressed } = ratelimit(state.nopageRatelimit, now(state), NOPAGE_LIMIT)
  if (suppressed > 0) klog(state, `warn_alloc: ${suppressed} callbacks suppressed`)
  if (!mayPrint) return
  if ((gfp & GFP_BIT_DMA) !== 0 && !state.zones.some((zone) => zone.idx === ZONE_DMA && zone.managed > 0)) return
  const comm = currentTask(state)?.comm ?? `swapper/${state.exec.cpu}`
  const nodes = nodeListText(memsAllowed(state, currentTask(state)))
  const mask = nodemask === undefined ? '(null)' : nodeListText(nodemask)
  klog(state, `${comm}: ${what}, mode:${formatGfp(gfp)}, nodemask=${mask},cpuset=/,mems_allowed=${nodes}`)
  const site = what.startsWith('vmalloc') ? 'warnVmalloc' : 'warnAlloc'
  for (const line of dumpStack(state, site, gfp === GFP_ANON_FAULT ? 'anonFault' : 'other')) klog(state, line)
  for (const line of showMem(state, gfpZone(gfp))) klog(state, line)
}

/** Where the page allocator refuses an order above MAX_PAGE_ORDER; the line is that of the series' first release. */
const TOO_LARGE = {
  '6.12': 'mm/page_alloc.c:4727 __alloc_pages_noprof',
  '6.1': 'mm/page_alloc.c:5534 __alloc_pages',
} as const

/**
 * An order above MAX_PAGE_ORDER is a bug of the caller: a warning, once a boot, unless it asked for silence.
 * @kernel  mm/page_alloc.c WARN_ON_ONCE_GFP(order > MAX_PAGE_ORDER), kernel/panic.c __warn()
 * @simplifies  no offset behind the function's name, no list of modules, no registers
 */
export function warnOrder(state: KernelState, gfp: number): void {
  if ((gfp & GFP_BIT_NOWARN) === 0) warnOnce(state, TOO_LARGE[state.config.series])
}

/** Where a request that must not fail is told to ask for less: before the slow path (6.12), or where pages are taken. */
const NOFAIL_TOO_LARGE = {
  '6.12': 'mm/page_alloc.c __alloc_pages_slowpath.constprop.0',
  '6.1': 'mm/page_alloc.c get_page_from_freelist',
} as const

/**
 * A request that must not fail asks for more than two pages: a warning, once a boot, also when it asked for silence. It
 * is served nevertheless.
 * @param fast  true: the request has not failed yet
 * @kernel  mm/page_alloc.c __alloc_pages_slowpath() (6.12), rmqueue() (6.1)
 * @simplifies  no line number: captures do not show one
 */
export function warnNofail(state: KernelState, gfp: number, order: number, fast: boolean): void {
  if ((gfp & GFP_BIT_NOFAIL) === 0 || order <= 1 || fast !== (state.config.series === '6.1')) return
  warnOnce(state, NOFAIL_TOO_LARGE[state.config.series])
}

/** @kernel kernel/panic.c __warn() */
function warnOnce(state: KernelState, place: string): void {
  if (!firstTime(state, place)) return
  const pid = currentTask(state)?.pid ?? 0
  klog(state, '------------[ cut here ]------------')
  klog(state, `WARNING: CPU: ${state.exec.cpu} PID: ${pid} at ${place}`)
  for (const line of dumpStack(state, 'warn', 'other')) klog(state, line)
  klog(state, '---[ end trace 0000000000000000 ]---')
  addTaint(state, TAINT_WARN)
}
