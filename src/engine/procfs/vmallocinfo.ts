/**
 * /proc/vmallocinfo: ranges of kernel addresses that were given away.
 * @kernel      mm/vmalloc.c vmalloc_info_show()
 * @simplifies  in the order of the addresses (6.9+ walks several lists); callers without their offset, which belongs to a
 *              build; no address randomisation
 */
import { PAGE_SIZE, type Pages } from '../../util/units'
import { pageZoneIndex } from '../mm/memmap'
import type { VmArea, VmRegion } from '../mm/vmalloc'
import type { KernelState } from '../state'

/** @kernel VMALLOC_START, MODULES_VADDR without KASLR */
const BASES: Readonly<Record<VmRegion, bigint>> = { vmalloc: 0xffffc90000000000n, modules: 0xffffffffc0000000n }
const FIVE_LEVEL_BASE = 0xffa0000000000000n

/** '0xffffc90000004000' */
export function vmAddress(state: KernelState, region: VmRegion, page: Pages): string {
  const base = region === 'vmalloc' && state.config.fiveLevelPaging === true ? FIVE_LEVEL_BASE : BASES[region]
  return `0x${(base + BigInt(page) * BigInt(PAGE_SIZE)).toString(16)}`
}

/** ' N0=4 N1=2' */
function nodesOf(state: KernelState, area: VmArea): string {
  if (area.bootNid >= 0) return ` N${area.bootNid}=${area.pages}`
  const counts: Record<number, number> = {}
  for (const pfn of area.pfns) {
    const { nid } = state.zones[pageZoneIndex(state.memmap, pfn)]!
    counts[nid] = (counts[nid] ?? 0) + 1
  }
  return Object.entries(counts)
    .map(([nid, n]) => ` N${nid}=${n}`)
    .join('')
}

function range(state: KernelState, at: { region: VmRegion; start: Pages; span: Pages }): string {
  const bytes = String(at.span * PAGE_SIZE).padStart(7)
  return `${vmAddress(state, at.region, at.start)}-${vmAddress(state, at.region, at.start + at.span)} ${bytes}`
}

function areaLine(state: KernelState, area: VmArea): string {
  const isVmalloc = area.kind === 'vmalloc'
  const pages = isVmalloc ? ` pages=${area.pages}` : ''
  const vpages = area.array === undefined ? '' : ' vpages'
  return `${range(state, area)} ${area.caller}${pages} ${area.kind}${vpages}${isVmalloc ? nodesOf(state, area) : ''}\n`
}

export const vmallocinfoText = (state: KernelState): string =>
  state.vmap.areas.map((area) => areaLine(state, area)).join('') +
  state.vmap.lazy.map((lazy) => `${range(state, lazy)} unpurged vm_area\n`).join('')
