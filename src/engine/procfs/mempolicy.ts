/**
 * /sys/kernel/mm/mempolicy: how many pages in a row each node gets under weighted interleaving (6.9+).
 * @kernel  mm/mempolicy.c node_show(), node_store()
 * @spec    08 §8.1 WEIGHTED_INTERLEAVE
 */
import { interleaveWeight, setInterleaveWeight } from '../mm/mempolicy'
import type { KernelState } from '../state'
import { parseInteger } from './sysctl_text'
import type { PseudoDir, PseudoFile } from './types'

const MAX_WEIGHT = 255
const DIR = 'weighted_interleave'

const weightFile = (nid: number): PseudoFile => ({
  read: (state) => `${interleaveWeight(state, nid)}\n`,
  write: (state, text) => {
    // Nothing, and 0, mean the default.
    const value = text.trim() === '' ? 0 : parseInteger(text)
    if (value === undefined || value < 0 || value > MAX_WEIGHT) return 'EINVAL'
    setInterleaveWeight(state, nid, value === 0 ? 1 : value)
    return undefined
  },
})

const nodesOf = (state: KernelState): number[] => state.nodes.filter((n) => n.hasMemory).map((n) => n.nid)

/** Below /sys/kernel/mm/mempolicy. */
export const mempolicyDir: PseudoDir = {
  list: (state, path) => {
    if (state.config.series === '6.1') return undefined
    if (path === '') return [DIR]
    return path === DIR ? nodesOf(state).map((nid) => `node${nid}`) : undefined
  },
  file: (state, path) => {
    const nid = Number(/^weighted_interleave\/node(\d+)$/.exec(path)?.[1] ?? -1)
    if (state.config.series === '6.1' || !nodesOf(state).includes(nid)) return undefined
    return weightFile(nid)
  },
}
