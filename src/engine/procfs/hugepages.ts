/**
 * The files of the huge page pool: the same few below /sys/kernel/mm/hugepages, below each node, and in /proc/sys/vm.
 * @kernel  mm/hugetlb.c nr_hugepages_show(), hugetlb_register_node()
 * @spec    08 §8.5
 */
import type { Errno } from '../../util/errno'
import { setMaxHugePages } from '../mm/hugetlb'
import {
  GIGANTIC_ORDER,
  freeHugePages,
  freeHugePagesNode,
  hugeBytes,
  nrHugePages,
  persistentHugePages,
  surplusHugePages,
  type Hstate,
} from '../mm/hugetlb_pool'
import { nodesOfPolicy } from '../mm/mempolicy'
import type { KernelState } from '../state'
import type { PseudoFile } from './types'

/** Directories of the pools, below kernel/mm/hugepages and below a node's hugepages, in the order of state.hugetlb. */
export const HUGEPAGES_DIRS = ['hugepages-2048kB', 'hugepages-1048576kB'] as const

const readOnly = (value: (state: KernelState) => number): PseudoFile => ({ read: (state) => `${value(state)}\n` })

type SetCount = (state: KernelState, count: number, pid: number) => Errno | undefined

/**
 * A count, decimal; more pages than memory has is not an error, a number that does not fit an unsigned long is.
 * @kernel      mm/hugetlb.c nr_hugepages_store_common(), lib/kstrtox.c kstrtoul()
 * @simplifies  numbers above 2^53 are refused, the kernel's limit is 2^64
 */
const writeCount =
  (set: SetCount): NonNullable<PseudoFile['write']> =>
  (state, text, pid) => {
    const word = text.trim()
    if (!/^\+?\d+$/.test(word)) return 'EINVAL'
    return Number(word) > Number.MAX_SAFE_INTEGER ? 'ERANGE' : set(state, Number(word), pid)
  }

/** Below /proc/sys a negative number changes nothing. @kernel kernel/sysctl.c proc_doulongvec_minmax() */
const writeSysctl =
  (set: SetCount): NonNullable<PseudoFile['write']> =>
  (state, text, pid) => {
    if (/^\s*-\d+\s*$/.test(text)) return undefined
    const errno = writeCount(set)(state, text, pid)
    return errno === 'ERANGE' ? 'EINVAL' : errno
  }

/** Gigantic pages are never made on demand. @kernel mm/hugetlb.c nr_overcommit_hugepages_store() */
const setOvercommit =
  (pool: number): SetCount =>
  (state, count) => {
    const h = state.hugetlb[pool]!
    if (h.order === GIGANTIC_ORDER) return 'EINVAL'
    h.overcommit = count
    return undefined
  }

/** nr_hugepages of the machine, or of one node: surplus pages too. */
const nrHugepagesFile = (pool: number, nid?: number): PseudoFile => ({
  read: (state) => `${nid === undefined ? nrHugePages(state.hugetlb[pool]!) : state.hugetlb[pool]!.nr[nid]}\n`,
  write: writeCount((state, count) => setMaxHugePages(state, state.hugetlb[pool]!, count, nid)),
})

/** nr_hugepages_mempolicy: on the nodes of the writer's policy. @kernel mm/hugetlb.c __nr_hugepages_store_common() */
const setByPolicy =
  (pool: number): SetCount =>
  (state, count, pid) =>
    setMaxHugePages(state, state.hugetlb[pool]!, count, undefined, nodesOfPolicy(state, state.tasks[pid]))

const readOvercommit =
  (pool: number) =>
  (state: KernelState): string =>
    `${state.hugetlb[pool]!.overcommit}\n`

/** /proc/sys/vm/nr_hugepages, which shows what stays, and nr_overcommit_hugepages: of the default size. */
export const SYSCTL_NR_HUGEPAGES: PseudoFile = {
  read: (state) => `${persistentHugePages(state.hugetlb[0]!)}\n`,
  write: writeSysctl((state, count) => setMaxHugePages(state, state.hugetlb[0]!, count)),
}
export const SYSCTL_NR_HUGEPAGES_MEMPOLICY: PseudoFile = {
  ...SYSCTL_NR_HUGEPAGES,
  write: writeSysctl(setByPolicy(0)),
}
export const SYSCTL_NR_OVERCOMMIT: PseudoFile = { read: readOvercommit(0), write: writeSysctl(setOvercommit(0)) }

const ofPool =
  (pool: number, value: (h: Hstate) => number) =>
  (state: KernelState): number =>
    value(state.hugetlb[pool]!)

/** Files of one pool: /sys/kernel/mm/hugepages/hugepages-2048kB, hugepages-1048576kB */
export const poolFiles = (pool: number): Readonly<Record<string, PseudoFile>> => ({
  free_hugepages: readOnly(ofPool(pool, freeHugePages)),
  nr_hugepages: nrHugepagesFile(pool),
  nr_hugepages_mempolicy: { ...nrHugepagesFile(pool), write: writeCount(setByPolicy(pool)) },
  nr_overcommit_hugepages: { read: readOvercommit(pool), write: writeCount(setOvercommit(pool)) },
  resv_hugepages: readOnly(ofPool(pool, (h) => h.resv)),
  surplus_hugepages: readOnly(ofPool(pool, surplusHugePages)),
})

/** /sys/devices/system/node/nodeN/hugepages/hugepages-2048kB, hugepages-1048576kB */
export const nodePoolFiles = (pool: number, nid: number): Readonly<Record<string, PseudoFile>> => ({
  free_hugepages: readOnly(ofPool(pool, (h) => freeHugePagesNode(h, nid))),
  nr_hugepages: nrHugepagesFile(pool, nid),
  surplus_hugepages: readOnly(ofPool(pool, (h) => h.surplus[nid]!)),
})

/** HugePages_* of the default size, Hugetlb of all. @kernel mm/hugetlb.c hugetlb_report_meminfo() */
export function hugetlbMeminfo(state: KernelState): {
  readonly counts: readonly (readonly [name: string, count: number])[]
  readonly totalKb: number
} {
  const h = state.hugetlb[0]!
  const counts = [
    ['Total', nrHugePages(h)],
    ['Free', freeHugePages(h)],
    ['Rsvd', h.resv],
    ['Surp', surplusHugePages(h)],
  ] as const
  return { counts, totalKb: state.hugetlb.reduce((kb, pool) => kb + (nrHugePages(pool) * hugeBytes(pool)) / 1024, 0) }
}

/** The default size on one node, below its other rows of memory. @kernel mm/hugetlb.c hugetlb_report_node_meminfo() */
export function hugetlbNodeMeminfo(state: KernelState, nid: number): string {
  const h = state.hugetlb[0]!
  const counts = [
    ['Total', h.nr[nid]!],
    ['Free', freeHugePagesNode(h, nid)],
    ['Surp', h.surplus[nid]!],
  ] as const
  return counts
    .map(([name, n]) => `Node ${nid} HugePages_${name}: ${String(n).padStart(name === 'Total' ? 5 : 6)}\n`)
    .join('')
}
