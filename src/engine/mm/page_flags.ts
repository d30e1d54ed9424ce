/** How the kernel spells the flags of a struct page, for reports and windows. */
import {
  PG_ACTIVE,
  PG_ANON,
  PG_BUDDY,
  PG_DIRTY,
  PG_FILE,
  PG_HUGETLB,
  PG_LOCKED,
  PG_LRU,
  PG_MLOCKED,
  PG_READAHEAD,
  PG_RECLAIM,
  PG_REFERENCED,
  PG_RESERVED,
  PG_SLAB,
  PG_SWAPBACKED,
  PG_SWAPCACHE,
  PG_TABLE,
  PG_TAIL,
  PG_UNEVICTABLE,
  PG_WORKINGSET,
  PG_WRITEBACK,
} from './memmap'

/** In the order of the kernel's bits; page types last. @kernel include/trace/events/mmflags.h __def_pageflag_names */
const NAMES: readonly (readonly [number, string])[] = [
  [PG_LOCKED, 'locked'],
  [PG_REFERENCED, 'referenced'],
  [PG_DIRTY, 'dirty'],
  [PG_LRU, 'lru'],
  [PG_ACTIVE, 'active'],
  [PG_WORKINGSET, 'workingset'],
  [PG_SLAB, 'slab'],
  [PG_RESERVED, 'reserved'],
  [PG_WRITEBACK, 'writeback'],
  [PG_RECLAIM, 'reclaim'],
  [PG_READAHEAD, 'readahead'],
  [PG_SWAPBACKED, 'swapbacked'],
  [PG_UNEVICTABLE, 'unevictable'],
  [PG_MLOCKED, 'mlocked'],
  [PG_SWAPCACHE, 'swapcache'],
  [PG_HUGETLB, 'hugetlb'],
  [PG_BUDDY, 'buddy'],
  [PG_TABLE, 'table'],
]

/**
 * Names of the flags that are set. A page with contents that no read is filling is up to date, which the simulator keeps no
 * bit for; `head` is the first frame of a compound page.
 * @kernel      mm/debug.c __dump_page(), include/trace/events/mmflags.h
 * @simplifies  PG_private, PG_owner_priv_1, PG_arch_1 and PG_mappedtodisk do not exist; uptodate follows from locked
 */
export function flagNames(flags: number, order: number): string[] {
  // Of a free frame bits 27–29 are the type of its list; all other flags are its owner's.
  const names = NAMES.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name)
  const isUptodate = (flags & (PG_ANON | PG_FILE)) !== 0 && (flags & PG_LOCKED) === 0
  if (isUptodate) names.splice(names[0] === 'referenced' ? 1 : 0, 0, 'uptodate')
  if (order > 0 && (flags & (PG_SLAB | PG_HUGETLB)) !== 0) names.push('head')
  if ((flags & PG_TAIL) !== 0) names.push('tail')
  return names
}
