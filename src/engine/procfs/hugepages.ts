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

type SetCount = (state: KernelState, count: number) => Errno | undefined

/**
 * A count, decimal; more pages than memory has is not an error, a number that does not fit an unsigned long is.
 * @kernel      mm/hugetlb.c nr_hugepages_store_common(), lib/kstrtox.c kstrtoul()
 * @simplifies  numbers above 2^53 are refused, the kernel's limit is 2^64
 */
const writeCount =
  (set: SetCount): NonNullable<PseudoFile['write']> =>
  (state, text) => {
    const word = text.trim()
    if (!/^\+?\d+$/.test(word)) return 'EINVAL'
    return Number(word) > Number.MAX_SAFE_INTEGER ? 'ERANGE' : set(state, Number(word))
  }

/** Below /proc/sys a negative number changes nothing. @kernel kernel/sysctl.c proc_doulongvec_minmax() */
const writeSysctl =
  (set: SetCount): NonNullable<PseudoFile['write']> =>
  (state, text, pid) => {
    if (/^\s*-\d+\s*$/.test(text)) return undefined
    const errno = writeCount(set)(state, text, pid)
    return errno === 'ERANGE' ? 'EINVAL' : errno
  }

const setOvercommit: SetCount = (state, count) => {
  state.hugetlb.overcommit = count
  return undefined
}

/** nr_hugepages of the machine, or of one node. */
const nrHugepagesFile = (nid?: number): PseudoFile => ({
  read: (state) => `${nid === undefined ? nrHugePages(state) : nrHugePagesNode(state, nid)}\n`,
  write: writeCount((state, count) => setMaxHugePages(state, count, nid)),
})

const readOvercommit = (state: KernelState): string => `${state.hugetlb.overcommit}\n`

/** /proc/sys/vm/nr_hugepages and nr_overcommit_hugepages */
export const SYSCTL_NR_HUGEPAGES: PseudoFile = {
  read: (state) => `${nrHugePages(state)}\n`,
  write: writeSysctl((state, count) => setMaxHugePages(state, count)),
}
export const SYSCTL_NR_OVERCOMMIT: PseudoFile = { read: readOvercommit, write: writeSysctl(setOvercommit) }

/** /sys/kernel/mm/hugepages/hugepages-2048kB. Nothing maps huge pages: all are free, none reserved or surplus. */
export const POOL_FILES: Readonly<Record<string, PseudoFile>> = {
  free_hugepages: readOnly(nrHugePages),
  nr_hugepages: nrHugepagesFile(),
  nr_hugepages_mempolicy: nrHugepagesFile(),
  nr_overcommit_hugepages: { read: readOvercommit, write: writeCount(setOvercommit) },
  resv_hugepages: none,
  surplus_hugepages: none,
}

/** /sys/devices/system/node/nodeN/hugepages/hugepages-2048kB */
export const nodePoolFiles = (nid: number): Readonly<Record<string, PseudoFile>> => ({
  free_hugepages: readOnly((state) => nrHugePagesNode(state, nid)),
  nr_hugepages: nrHugepagesFile(nid),
  surplus_hugepages: none,
})
