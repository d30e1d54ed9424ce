/**
 * Finding the mapping of an address: the one lookup that reverse map, faults and system calls share.
 * @kernel  mm/mmap.c find_vma(), vma_lookup()
 */
import type { Vpn } from '../../util/units'
import type { Mm, Vma } from './mm_types'

/** Index of the first mapping that ends above the page; may start above it too. Equal to the count when there is none. */
export function findVmaIndex(mm: Mm, vpn: Vpn): number {
  const vmas = mm.vmas
  let lo = 0
  let hi = vmas.length
  while (lo < hi) {
    const mid = (lo + hi) >> 1
    if (vmas[mid]!.end > vpn) hi = mid
    else lo = mid + 1
  }
  return lo
}

/** The mapping that contains the page. @kernel vma_lookup() */
export function findVma(mm: Mm, vpn: Vpn): Vma | undefined {
  const vma = mm.vmas[findVmaIndex(mm, vpn)]
  return vma !== undefined && vma.start <= vpn ? vma : undefined
}
