/**
 * /sys/kernel/debug/lru_gen: MGLRU's generations of every group on every node, oldest first.
 * @kernel  mm/vmscan.c lru_gen_seq_show()
 * @spec    05 §5.10
 */
import { cgroupPath } from '../cgroup'
import { LRU_GEN_ANON, LRU_GEN_FILE, lruvecOf } from '../mm/lruvec'
import { genFromSeq, genSize } from '../mm/reclaim/lru_gen'
import type { KernelState } from '../state'
import { NS_PER_MS } from '../../util/units'

/** 'seq age_ms anon file' of one group on one node. */
function rows(state: KernelState, memcg: number, nid: number): string {
  const g = lruvecOf(state, memcg, nid).gen
  let text = ` node ${String(nid).padStart(5)}\n`
  const first = Math.min(g.minSeq[LRU_GEN_ANON]!, g.minSeq[LRU_GEN_FILE]!)
  for (let seq = first; seq <= g.maxSeq; seq++) {
    const gen = genFromSeq(seq)
    const age = Math.floor((state.nowNs - g.bornNs[gen]!) / NS_PER_MS)
    text += ` ${String(seq).padStart(10)} ${String(age).padStart(10)}`
    for (const type of [LRU_GEN_ANON, LRU_GEN_FILE]) {
      // In a generation that only the other type still has there are no pages of this one.
      const pages = seq < g.minSeq[type]! ? 0 : genSize(g, gen, type)
      text += ` ${String(pages).padStart(10)} `
    }
    text += '\n'
  }
  return text
}

/** All groups, whether the machine has more than one node or not. Writing to the file: mm/reclaim/lru_gen_commands.ts */
export function lruGenText(state: KernelState): string {
  let text = ''
  for (let id = 1; id < state.memcgs.length; id++) {
    const memcg = state.memcgs[id]
    if (memcg?.online !== true) continue
    text += `memcg ${String(id).padStart(5)} ${cgroupPath(state, memcg.cgroup)}\n`
    for (let nid = 0; nid < state.nodes.length; nid++) text += rows(state, id, nid)
  }
  return text
}
