/** What must hold for compressed pages at every moment between two events. */
import type { KernelState } from '../state'
import { entryLength } from './zswap_state'

/** Entries of slots against the table, the pools and the lists. @model looks from outside */
export function checkZswap(state: KernelState, found: string[]): void {
  const z = state.zswap
  if (!z.isSetUp) return
  const inPool = z.pools.map(() => 0)
  let stored = 0
  let sameFilled = 0
  for (const area of state.swapAreas) {
    area.zswap.entries.forEach((row, offset) => {
      if (row === 0) return
      stored++
      if (z.entries.slot[row] !== area.base + offset)
        found.push(`zswap entry ${row} is of slot ${z.entries.slot[row]}, and slot ${area.base + offset} has it`)
      if (area.map[offset] === 0) found.push(`zswap keeps a page for slot ${area.base + offset}, which is free`)
      if (entryLength(z, row) === 0) sameFilled++
      else {
        inPool[z.entries.pool[row]!]!++
        if (z.lru.list[row] === 0) found.push(`zswap entry ${row} is on no list`)
      }
    })
  }
  if (stored !== z.stored) found.push(`zswap: ${z.stored} pages stored, ${stored} entries`)
  if (sameFilled !== z.sameFilled) found.push(`zswap: ${z.sameFilled} same-filled pages, ${sameFilled} entries`)
  z.pools.forEach((pool, i) => {
    if (pool !== undefined && pool.entries !== inPool[i])
      found.push(`zswap pool ${i}: ${pool.entries} entries counted, ${inPool[i]} found`)
  })
}
