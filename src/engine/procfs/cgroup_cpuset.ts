/**
 * The files of the cpuset controller: CPUs and nodes as lists.
 * @kernel  kernel/cgroup/cpuset.c dfl_files[], lib/bitmap.c bitmap_parselist()
 * @spec    08 §8.1 "cpuset"
 */
import type { Errno } from '../../util/errno'
import { cgroupAt, cgroupControllers, cgroupPath, type Cgroup } from '../cgroup'
import { effectiveCpus, effectiveMems, writeCpuset } from '../cpuset'
import type { KernelState } from '../state'
import type { Task } from '../task'
import { cpuList } from './cpu_list'

/** Larger numbers fit no mask. @kernel nr_cpumask_bits, MAX_NUMNODES */
const MAX_BIT = 8191

/**
 * '0-3,8' or '0-6:1/2'; blanks around it do not matter.
 * @returns EINVAL: no such list, or it goes backwards; ERANGE: numbers beyond every machine
 * @kernel  lib/bitmap-str.c bitmap_parselist()
 */
export function parseCpuList(text: string): number[] | 'EINVAL' | 'ERANGE' {
  const found = new Set<number>()
  for (const region of text.trim().split(/[,\s]+/)) {
    if (region === '') continue
    const match = /^(\d+)(?:-(\d+)(?::(\d+)\/(\d+))?)?$/.exec(region)
    if (match === null) return 'EINVAL'
    const start = Number(match[1])
    const end = Number(match[2] ?? match[1])
    const used = Number(match[3] ?? 1)
    const group = Number(match[4] ?? 1)
    if (end < start || group === 0 || used > group) return 'EINVAL'
    if (end > MAX_BIT) return 'ERANGE'
    for (let n = start; n <= end; n++) if ((n - start) % group < used) found.add(n)
  }
  return [...found].sort((a, b) => a - b)
}

type Which = 'cpus' | 'mems'

const write =
  (which: Which) =>
  (state: KernelState, cgroup: Cgroup, text: string): Errno | undefined => {
    const wanted = parseCpuList(text)
    return typeof wanted === 'string' ? wanted : writeCpuset(state, cgroup, which, wanted)
  }

interface CpusetFile {
  readonly controller: 'cpuset'
  readonly onRoot: boolean
  readonly read: (state: KernelState, cgroup: Cgroup) => string
  readonly write?: (state: KernelState, cgroup: Cgroup, text: string) => Errno | undefined
}

/** @simplifies  groups cannot become partitions: cpuset.cpus.partition and .exclusive have no file */
export const CPUSET_FILES: Readonly<Record<string, CpusetFile>> = {
  'cpuset.cpus': {
    controller: 'cpuset',
    onRoot: false,
    read: (_state, cgroup) => `${cpuList(cgroup.cpusetCpus ?? [])}\n`,
    write: write('cpus'),
  },
  'cpuset.cpus.effective': {
    controller: 'cpuset',
    onRoot: true,
    read: (state, cgroup) => `${cpuList(effectiveCpus(state, cgroup))}\n`,
  },
  'cpuset.mems': {
    controller: 'cpuset',
    onRoot: false,
    read: (_state, cgroup) => `${cpuList(cgroup.cpusetMems ?? [])}\n`,
    write: write('mems'),
  },
  'cpuset.mems.effective': {
    controller: 'cpuset',
    onRoot: true,
    read: (state, cgroup) => `${cpuList(effectiveMems(state, cgroup))}\n`,
  },
}

/** Path of the group whose cpuset holds for the task. @kernel proc_cpuset_show() */
export function cpusetPath(state: KernelState, task: Task): string {
  let cgroup: Cgroup | undefined = state.cgroups[task.cgroup]
  while (cgroup !== undefined && cgroup.parent !== 0 && !cgroupControllers(state, cgroup).includes('cpuset')) {
    cgroup = cgroupAt(state, cgroup.parent)
  }
  return cgroup === undefined ? '/' : cgroupPath(state, cgroup.id)
}
