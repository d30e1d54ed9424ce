/**
 * kvmalloc: memory that the kernel does not need in one piece.
 * @kernel  mm/util.c kvmalloc_node() (6.1), mm/slub.c __kvmalloc_node_noprof() (6.12)
 */
import { PAGE_SIZE, type Bytes } from '../../util/units'
import { isSuspended } from '../exec'
import type { KernelState } from '../state'
import { GFP_BIT_NOFAIL, GFP_BIT_NORETRY, GFP_BIT_NOWARN, GFP_BIT_RETRY_MAYFAIL } from './gfp'
import { kfree, kmalloc } from './kmalloc'
import { vfree, vmalloc, type VmArea, type VmRequest } from './vmalloc'

/** Memory from kmalloc if it can be had without effort, else from vmalloc. */
export type KvMemory =
  { readonly kind: 'kmalloc'; readonly address: Bytes } | { readonly kind: 'vmalloc'; readonly area: VmArea }

/** Larger requests are refused. */
const INT_MAX = 2 ** 31 - 1

/** @kernel mm/util.c kvmalloc_node() (6.1), mm/slub.c (6.12) */
export function kvmalloc(state: KernelState, request: Omit<VmRequest, 'region'>): KvMemory | undefined {
  const { bytes, gfp } = request
  let easy = gfp
  if (bytes > PAGE_SIZE) {
    easy |= GFP_BIT_NOWARN
    if ((gfp & GFP_BIT_RETRY_MAYFAIL) === 0) easy |= GFP_BIT_NORETRY
    easy &= ~GFP_BIT_NOFAIL
  }
  const address = kmalloc(state, bytes, easy)
  if (address !== 0) return { kind: 'kmalloc', address }
  if (bytes <= PAGE_SIZE || bytes > INT_MAX || isSuspended(state)) return undefined
  const area = vmalloc(state, { ...request, region: 'vmalloc' })
  return area === undefined ? undefined : { kind: 'vmalloc', area }
}

/** @kernel mm/util.c kvfree() */
export function kvfree(state: KernelState, memory: KvMemory): void {
  if (memory.kind === 'kmalloc') kfree(state, memory.address)
  else vfree(state, memory.area)
}
