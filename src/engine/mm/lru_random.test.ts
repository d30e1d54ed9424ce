import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addAnonPages,
  addFilePages,
  letTimePass,
  lruState,
  newFile,
  newSpace,
  setFree,
  setMarks,
  testZone,
} from '../../../test/lru-state'
import { addProcess, makeGroup } from '../../../test/memcg-state'
import { writebackInode } from './flusher'
import { GFP_KERNEL, GFP_NOIO } from './gfp'
import { checkLru } from './lru_check'
import { checkMemcg } from './memcg_check'
import { PG_FILE, PG_LRU, hasFlag } from './memmap'
import { folioMarkDirty } from './page_writeback'
import { PTE_ACCESSED, findPteSlot, isPresent, pteAt, setPte } from './pgtable'
import { setMglruEnabled } from './reclaim'
import { folioActivate, folioDeactivate, folioMarkAccessed, folioMarkLazyfree, folioSetMlocked } from './swap'
import { tryToFreePages } from './direct_reclaim'
import { tryToFreeMemcgPages } from './vmscan'

/** What may happen to the pages of the machine, in any order. */
const operation = fc.oneof(
  fc.record({
    op: fc.constantFrom('read', 'touch', 'dirty', 'activate', 'deactivate', 'lazyfree', 'mlock', 'munlock'),
    page: fc.nat(299),
  }),
  fc.record({
    op: fc.constantFrom('direct', 'noio', 'limit', 'time', 'writeback', 'classic', 'mglru'),
    page: fc.nat(299),
  }),
)

test.each([
  { mglru: true, series: '6.12' },
  { mglru: false, series: '6.12' },
  { mglru: false, series: '6.1' },
  { mglru: true, series: '6.1' },
] as const)(
  'lists and counters fit after any operations: $series mglru $mglru',
  ({ mglru, series }) => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 60 }), (operations) => {
        const state = lruState({ mib: 32, mglru, series, swapSlots: 400 })
        const group = makeGroup(state, '/a')
        const inode = newFile(state, 2000)
        const { mm } = newSpace(state, inode)
        addProcess(state, { pid: 10, comm: 't', group: '/a' }).mm = mm.id
        const pfns = [
          ...addFilePages(state, inode, 100),
          ...addFilePages(state, inode, 50, { memcg: group.id }),
          ...addAnonPages(state, mm, 150, { memcg: group.id }),
        ]
        setMarks(testZone(state), 20, 30, 40)
        setFree(state, 1500)
        for (const { op, page } of operations) {
          const pfn = pfns[page]!
          const isOnLru = hasFlag(state.memmap, pfn, PG_LRU)
          if (op === 'read' && isOnLru) folioMarkAccessed(state, pfn)
          else if (op === 'touch') {
            const slot = findPteSlot(state, mm, 0x10000 + (page % 150))
            const pte = pteAt(state.pgtables, slot)
            if (isPresent(pte)) setPte(state.pgtables, slot, pte | PTE_ACCESSED)
          } else if (op === 'dirty' && isOnLru && hasFlag(state.memmap, pfn, PG_FILE)) folioMarkDirty(state, pfn)
          else if (op === 'activate') folioActivate(state, pfn)
          else if (op === 'deactivate') folioDeactivate(state, pfn)
          else if (op === 'lazyfree') folioMarkLazyfree(state, pfn)
          else if ((op === 'mlock' || op === 'munlock') && isOnLru) folioSetMlocked(state, pfn, op === 'mlock')
          else if (op === 'direct') tryToFreePages(state, { order: 0, gfp: GFP_KERNEL, nid: 0, highestZoneidx: 3 })
          else if (op === 'noio') tryToFreePages(state, { order: 0, gfp: GFP_NOIO, nid: 0, highestZoneidx: 3 })
          else if (op === 'limit')
            tryToFreeMemcgPages(state, group.id, 32, GFP_KERNEL, { maySwap: page % 2 === 0, proactive: false })
          else if (op === 'time') letTimePass(state, page * 10_000)
          else if (op === 'writeback') writebackInode(state, inode.ino)
          else if (op === 'classic') setMglruEnabled(state, 0)
          else if (op === 'mglru') setMglruEnabled(state, 7)
          expect(checkLru(state)).toEqual([])
        }
        letTimePass(state, 10_000_000_000)
        expect(checkLru(state)).toEqual([])
        expect(checkMemcg(state).filter((line) => line.includes('usage'))).toEqual([])
      }),
      { numRuns: 40, seed: 1 },
    )
  },
  120_000,
)
