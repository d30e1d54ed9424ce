/**
 * The files of the huge page pool: the same few below /sys/kernel/mm/hugepages, below each node, and in /proc/sys/vm.
 * @kernel  mm/hugetlb.c nr_hugepages_show(), hugetlb_register_node()
 * @spec    08 §8.5
 */
import type { Errno } from '../../util/errno'
import { setMaxHugePages } from '../mm/hugetlb'
import { nrHugePages, nrHugePagesNode } from '../mm/hugetlb_pool'
import type { KernelState } from '../state'
import type { PseudoFile } from './types'

/** Directory of the 2 MiB pool, below kernel/mm/hugepages and below a node's hugepages. */
export const HUGEPAGES_2M = 'hugepages-2048kB'

const readOnly = (value: (state: KernelState) => number): PseudoFile => ({ read: (state) => `${value(state)}\n` })
const none = readOnly(() => 0)

/** A count, decimal; more pages than memory has is not an error. @kernel nr_hugepages_store_common() */
function writeCount(text: string, set: (count: number) => Errno | undefined): Errno | undefined {
  const word = text.trim()
  return /^\d+$/.test(word) ? set(Number(word)) : 'EINVAL'
}

/** nr_hugepages of the machine, or of one node. */
export const nrHugepagesFile = (nid?: number): PseudoFile => ({
  read: (state) => `${nid === undefined ? nrHugePages(state) : nrHugePagesNode(state, nid)}\n`,
  write: (state, text) => writeCount(text, (count) => setMaxHugePages(state, count, nid)),
})

export const nrOvercommitHugepagesFile: PseudoFile = {
  read: (state) => `${state.hugetlb.overcommit}\n`,
  write: (state, text) =>
    writeCount(text, (count) => {
      state.hugetlb.overcommit = count
      return undefined
    }),
}

/** /sys/kernel/mm/hugepages/hugepages-2048kB. Nothing maps huge pages: all are free, none reserved or surplus. */
export const POOL_FILES: Readonly<Record<string, PseudoFile>> = {
  free_hugepages: readOnly(nrHugePages),
  nr_hugepages: nrHugepagesFile(),
  nr_hugepages_mempolicy: nrHugepagesFile(),
  nr_overcommit_hugepages: nrOvercommitHugepagesFile,
  resv_hugepages: none,
  surplus_hugepages: none,
}

/** /sys/devices/system/node/nodeN/hugepages/hugepages-2048kB */
export const nodePoolFiles = (nid: number): Readonly<Record<string, PseudoFile>> => ({
  free_hugepages: readOnly((state) => nrHugePagesNode(state, nid)),
  nr_hugepages: nrHugepagesFile(nid),
  surplus_hugepages: none,
})
