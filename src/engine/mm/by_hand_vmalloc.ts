/**
 * vmalloc and kvmalloc by hand.
 * @kernel  mm/vmalloc.c vmalloc(), vfree(); mm/util.c kvmalloc_node()
 * @model   what a test module would do, see by_hand.ts
 */
import { isSuspended } from '../exec'
import { PAGE_SIZE } from '../../util/units'
import type { HandOps } from './by_hand'
import { GFP_KERNEL } from './gfp'
import { formatGfp } from './gfp_names'
import { parseGfp } from './gfp_parse'
import { ksize } from './kmalloc'
import { kvfree, kvmalloc, type KvMemory } from './kvmalloc'
import { totalramPages, vmalloc } from './vmalloc'

const CALLER = 'pagewalk_write [pagewalk]'

/** alloc size=BYTES [gfp=…] [kv=1]: kv tries kmalloc first. @kernel mm/vmalloc.c vmalloc() */
export const VMALLOC_BY_HAND: HandOps = {
  keys: ['size', 'gfp', 'kv'],
  freedAgain: 'the kernel warns of a nonexistent vm area and does nothing',
  alloc: (state, values) => {
    const bytes = Number(values.size ?? Number.NaN)
    if (!Number.isSafeInteger(bytes) || bytes < 0) return ['EINVAL', `size=${values.size} is no number of bytes`]
    if (bytes === 0) return ['EINVAL', 'size=0: vmalloc warns and gives nothing']
    const gfp = values.gfp === undefined ? GFP_KERNEL : parseGfp(values.gfp)
    if (gfp === undefined) return ['EINVAL', `gfp=${values.gfp}: write the kernel's names joined by |`]
    const memory = allocate(
      values.kv === '1',
      () => kvmalloc(state, { bytes, gfp, caller: CALLER }),
      () => vmalloc(state, { bytes, gfp, caller: CALLER, region: 'vmalloc' }),
    )
    if (memory === undefined) {
      if (isSuspended(state)) return ['EAGAIN', `size=${bytes} has to wait until memory is reclaimed: write it again`]
      const isTooLarge = bytes > totalramPages(state) * PAGE_SIZE
      const why = isTooLarge ? 'is more than the machine has' : `found no memory with mode:${formatGfp(gfp)}`
      return ['ENOMEM', `vmalloc of ${bytes} bytes ${why}`]
    }
    const isSmall = memory.kind === 'kmalloc'
    return {
      address: isSmall ? memory.address : memory.area.start * PAGE_SIZE,
      request: `size=${bytes}`,
      sizeBytes: isSmall ? ksize(state, memory.address) : memory.area.pages * PAGE_SIZE,
      path: memory.kind,
      ...(isSmall ? {} : { vmStart: memory.area.start }),
    }
  },
  free: (state, held) => {
    const area = state.vmap.areas.find((a) => a.region === 'vmalloc' && a.start === held.vmStart)
    const memory: KvMemory = area === undefined ? { kind: 'kmalloc', address: held.address } : { kind: 'vmalloc', area }
    kvfree(state, memory)
    return held.path === 'kmalloc' ? 'kfree' : 'vfree'
  },
}

/** One of the two ways, as one kind of answer. */
function allocate(
  isKv: boolean,
  kv: () => KvMemory | undefined,
  plain: () => ReturnType<typeof vmalloc>,
): KvMemory | undefined {
  if (isKv) return kv()
  const area = plain()
  return area === undefined ? undefined : { kind: 'vmalloc', area }
}
