/**
 * Allocation flags as a person writes them: the kernel's names joined by '|', or a number.
 * @kernel  include/linux/gfp_types.h
 */
import type { KernelSeries } from '../config'
import * as gfp from './gfp'

const MASKS: Readonly<Record<string, unknown>> = gfp

/** 'GFP_KERNEL' is a mask; '__GFP_ZERO' is the bit that gfp.ts calls GFP_BIT_ZERO. */
function maskOf(name: string): number | undefined {
  const key =
    name.startsWith('__GFP_') && name !== '__GFP_RECLAIM' ? `GFP_BIT_${name.slice(6)}` : name.replace(/^__/, '')
  const isMask = /^(__)?GFP_/.test(name) && !name.startsWith('GFP_BIT_') && Object.hasOwn(MASKS, key)
  const mask = isMask ? MASKS[key] : undefined
  return typeof mask === 'number' ? mask : undefined
}

const ALL_BITS = Object.entries(MASKS).reduce(
  (all, [name, mask]) => (name.startsWith('GFP_BIT_') ? all | (mask as number) : all),
  0,
)
const MOBILITY = gfp.GFP_BIT_MOVABLE | gfp.GFP_BIT_RECLAIMABLE
const ZONE_BITS = [gfp.GFP_BIT_DMA, gfp.GFP_BIT_DMA32, gfp.GFP_BIT_HIGHMEM] as const

/**
 * 'GFP_KERNEL|__GFP_ACCOUNT', or a number as dmesg prints it: '0xcc0'.
 * @param series  GFP_NOWAIT says __GFP_NOWARN, too, on 6.12
 * @returns undefined when a name or a bit is not one of the kernel's, and for what no caller may combine: two zones, two
 *   kinds of mobility
 * @kernel  include/trace/events/mmflags.h, include/linux/gfp.h GFP_ZONE_BAD, gfp_migratetype()
 */
export function parseGfp(text: string, series: KernelSeries = '6.12'): number | undefined {
  const mask = parseMask(text, series)
  if (mask === undefined || (mask & MOBILITY) === MOBILITY) return undefined
  return ZONE_BITS.filter((bit) => (mask & bit) !== 0).length > 1 ? undefined : mask
}

function parseMask(text: string, series: KernelSeries): number | undefined {
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) return (Number(text) & ~ALL_BITS) === 0 ? Number(text) : undefined
  let mask = 0
  for (const name of text.split('|')) {
    const bits = maskOf(name.trim())
    if (bits === undefined) return undefined
    // Since 6.7 who does not wait is not warned either.
    mask |= name.trim() === 'GFP_NOWAIT' && series !== '6.1' ? bits | gfp.GFP_BIT_NOWARN : bits
  }
  return mask
}
