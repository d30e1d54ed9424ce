/**
 * How the kernel log spells allocation flags.
 * @kernel  include/trace/events/mmflags.h __def_gfpflag_names, printk's %pGg
 * @spec    02 §2.8
 */
import * as gfp from './gfp'

/** Largest masks first: a mask is named when all its bits are there, and its bits are then done. */
const NAMES: readonly (readonly [mask: number, name: string])[] = [
  [gfp.GFP_TRANSHUGE, 'GFP_TRANSHUGE'],
  [gfp.GFP_TRANSHUGE_LIGHT, 'GFP_TRANSHUGE_LIGHT'],
  [gfp.GFP_HIGHUSER_MOVABLE, 'GFP_HIGHUSER_MOVABLE'],
  [gfp.GFP_USER | gfp.GFP_BIT_HIGHMEM, 'GFP_HIGHUSER'],
  [gfp.GFP_USER, 'GFP_USER'],
  [gfp.GFP_KERNEL_ACCOUNT, 'GFP_KERNEL_ACCOUNT'],
  [gfp.GFP_KERNEL, 'GFP_KERNEL'],
  [gfp.GFP_NOFS, 'GFP_NOFS'],
  [gfp.GFP_ATOMIC, 'GFP_ATOMIC'],
  [gfp.GFP_NOIO, 'GFP_NOIO'],
  [gfp.GFP_NOWAIT, 'GFP_NOWAIT'],
  [gfp.GFP_DMA, 'GFP_DMA'],
  [gfp.GFP_BIT_HIGHMEM, '__GFP_HIGHMEM'],
  [gfp.GFP_DMA32, 'GFP_DMA32'],
  [gfp.GFP_BIT_HIGH, '__GFP_HIGH'],
  [gfp.GFP_BIT_IO, '__GFP_IO'],
  [gfp.GFP_BIT_FS, '__GFP_FS'],
  [gfp.GFP_BIT_NOWARN, '__GFP_NOWARN'],
  [gfp.GFP_BIT_RETRY_MAYFAIL, '__GFP_RETRY_MAYFAIL'],
  [gfp.GFP_BIT_NOFAIL, '__GFP_NOFAIL'],
  [gfp.GFP_BIT_NORETRY, '__GFP_NORETRY'],
  [gfp.GFP_BIT_COMP, '__GFP_COMP'],
  [gfp.GFP_BIT_ZERO, '__GFP_ZERO'],
  [gfp.GFP_BIT_NOMEMALLOC, '__GFP_NOMEMALLOC'],
  [gfp.GFP_BIT_MEMALLOC, '__GFP_MEMALLOC'],
  [gfp.GFP_BIT_HARDWALL, '__GFP_HARDWALL'],
  [gfp.GFP_BIT_THISNODE, '__GFP_THISNODE'],
  [gfp.GFP_BIT_RECLAIMABLE, '__GFP_RECLAIMABLE'],
  [gfp.GFP_BIT_MOVABLE, '__GFP_MOVABLE'],
  [gfp.GFP_BIT_ACCOUNT, '__GFP_ACCOUNT'],
  [gfp.GFP_BIT_WRITE, '__GFP_WRITE'],
  [gfp.GFP_RECLAIM, '__GFP_RECLAIM'],
  [gfp.GFP_BIT_DIRECT_RECLAIM, '__GFP_DIRECT_RECLAIM'],
  [gfp.GFP_BIT_KSWAPD_RECLAIM, '__GFP_KSWAPD_RECLAIM'],
]

/** '0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO)'. @kernel lib/vsprintf.c format_flags() */
export function formatGfp(mask: number): string {
  const names: string[] = []
  let rest = mask
  for (const [bits, name] of NAMES) {
    if ((rest & bits) !== bits) continue
    names.push(name)
    rest &= ~bits
  }
  if (rest !== 0) names.push(`0x${rest.toString(16)}`)
  return `0x${mask.toString(16)}(${names.length === 0 ? 'none' : names.join('|')})`
}
