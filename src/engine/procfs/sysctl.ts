/**
 * /proc/sys: one row a sysctl, with its range and what a write sets off.
 * @kernel  kernel/sysctl.c, mm/page_alloc.c, mm/util.c
 * @spec    01 §1.10, 04 §4.9, 05, 06 §6.6
 */
import type { Errno } from '../../util/errno'
import { PAGE_SIZE } from '../../util/units'
import type { KernelState } from '../state'
import { dcacheCounts } from '../fs/dcache'
import { dropSlab } from '../fs/shrink_slab'
import { klog } from '../klog'
import { compactNodes } from '../mm/compaction_manual'
import { proactivenessWritten } from '../mm/kcompactd'
import { dropPagecache } from '../mm/filemap'
import { writebackIntervalWritten } from '../mm/flusher'
import {
  touchLowmemReserve,
  writeLowmemReserveRatio,
  writeMinFreeKbytes,
  writePercpuPagelistHighFraction,
  writeWatermarkScaleFactor,
} from '../mm/watermark'
import { decayPcp } from '../mm/pcp'
import { lruAddDrainAll } from '../mm/swap'
import { DROP_PAGECACHE, DROP_SLAB, countVmEvent } from '../mm/vmstat'
import { SYSCTL_NR_HUGEPAGES, SYSCTL_NR_HUGEPAGES_MEMPOLICY, SYSCTL_NR_OVERCOMMIT } from './hugepages'
import { INERT_VM } from './sysctl_inert'
import { INT_MAX, INT_MIN, integer, owned, seconds, unsignedLong, type NumberKey, type SysctlRow } from './sysctl_rows'
import { SYSCTL_NUMA_BALANCING, SYSCTL_PROMOTE_RATE, SYSCTL_NUMA_STAT, SYSCTL_NUMA_ZONELIST_ORDER } from './sysctl_numa'
import { parseInteger } from './sysctl_text'
import type { PseudoDir } from './types'

/** @kernel mm/page-writeback.c dirty_bytes_min */
const DIRTY_BYTES_MIN = 2 * PAGE_SIZE

const lowmemReserveRatio: SysctlRow = {
  file: {
    read: (state, _pid, peek) => {
      // The handler recomputes at every access, reads included (spec 01 §1.5); a look from outside does not count.
      if (!peek) touchLowmemReserve(state)
      return `${state.sysctl.lowmemReserveRatio.join('\t')}\n`
    },
    write: (state, text) => {
      const numbers = text.trim().split(/\s+/).map(parseInteger)
      if (numbers.length === 0 || numbers.some((n) => n === undefined || n > INT_MAX)) return 'EINVAL'
      const old = state.sysctl.lowmemReserveRatio
      writeLowmemReserveRatio(
        state,
        old.map((o, i) => numbers[i] ?? o),
      )
      return undefined
    },
  },
}

const dropCaches: SysctlRow = {
  file: {
    write: (state, text, pid) => {
      const value = parseInteger(text)
      if (value === undefined || value < 1 || value > 4) return 'EINVAL'
      if (value & 1) {
        lruAddDrainAll(state)
        dropPagecache(state)
        countVmEvent(state.vmstat, DROP_PAGECACHE)
      }
      if (value & 2) {
        dropSlab(state)
        countVmEvent(state.vmstat, DROP_SLAB)
      }
      if (!state.dropCachesQuiet) klog(state, `${state.tasks[pid]?.comm ?? 'swapper'} (${pid}): drop_caches: ${value}`)
      if (value & 4) state.dropCachesQuiet = true
      return undefined
    },
  },
}

const compactMemory: SysctlRow = {
  file: {
    write: (state, text) => {
      if (parseInteger(text) !== 1) return 'EINVAL'
      return compactNodes(
        state,
        state.nodes.map((n) => n.nid),
      )
    },
  },
}

/** Any int; the kernel counts with it as with an unsigned one. @kernel mm/page-writeback.c dirty_writeback_centisecs_handler() */
const dirtyWritebackCentisecs: SysctlRow = {
  file: {
    read: (state) => `${state.sysctl.dirtyWritebackCentisecs}\n`,
    write: (state, text) => {
      const value = parseInteger(text)
      if (value === undefined || value < INT_MIN || value > INT_MAX) return 'EINVAL'
      const old = state.sysctl.dirtyWritebackCentisecs
      state.sysctl.dirtyWritebackCentisecs = value
      writebackIntervalWritten(state, old)
      return undefined
    },
  },
}

/** Setting the ratio clears the bytes of the same limit, and the other way round. @kernel mm/page-writeback.c */
const zeroOther =
  (other: NumberKey) =>
  (state: KernelState): void => {
    state.sysctl[other] = 0
  }

/**
 * stat_refresh: runs the vmstat worker on every CPU. Our counters are exact, so that folding has nothing to do, but the
 * per-CPU page lists shrink as they do once a second. Like the kernel's, it takes any write.
 * @kernel  mm/vmstat.c vmstat_refresh(), refresh_vm_stats()
 */
const statRefresh: SysctlRow = {
  file: {
    read: (state, _pid, peek) => (peek ? '' : refreshVmStats(state)),
    write: (state) => {
      refreshVmStats(state)
      return undefined
    },
  },
}

function refreshVmStats(state: KernelState): string {
  for (let cpu = 0; cpu < state.cpuNode.length; cpu++) decayPcp(state, cpu)
  return ''
}

const VM: Readonly<Record<string, SysctlRow>> = {
  ...INERT_VM,
  admin_reserve_kbytes: unsignedLong('adminReserveKbytes', 0),
  compact_memory: compactMemory,
  compaction_proactiveness: integer('compactionProactiveness', 0, 100, proactivenessWritten),
  compact_unevictable_allowed: integer('compactUnevictableAllowed', 0, 1),
  dirty_background_bytes: unsignedLong('dirtyBackgroundBytes', 1, zeroOther('dirtyBackgroundRatio')),
  dirty_background_ratio: integer('dirtyBackgroundRatio', 0, 100, zeroOther('dirtyBackgroundBytes')),
  dirty_bytes: unsignedLong('dirtyBytes', DIRTY_BYTES_MIN, zeroOther('dirtyRatio')),
  dirty_expire_centisecs: integer('dirtyExpireCentisecs', 0, INT_MAX),
  dirty_ratio: integer('dirtyRatio', 0, 100, zeroOther('dirtyBytes')),
  dirty_writeback_centisecs: dirtyWritebackCentisecs,
  drop_caches: dropCaches,
  extfrag_threshold: integer('extfragThreshold', 0, 1000),
  laptop_mode: seconds('laptopMode'),
  legacy_va_layout: integer('legacyVaLayout', INT_MIN, INT_MAX),
  lowmem_reserve_ratio: lowmemReserveRatio,
  max_map_count: integer('maxMapCount', 0, INT_MAX),
  min_slab_ratio: integer('minSlabRatio', 0, 100),
  min_unmapped_ratio: integer('minUnmappedRatio', 0, 100),
  min_free_kbytes: owned('minFreeKbytes', 0, INT_MAX, writeMinFreeKbytes),
  mmap_min_addr: unsignedLong('mmapMinAddr', 0),
  nr_hugepages: { file: SYSCTL_NR_HUGEPAGES },
  nr_hugepages_mempolicy: { file: SYSCTL_NR_HUGEPAGES_MEMPOLICY },
  nr_overcommit_hugepages: { file: SYSCTL_NR_OVERCOMMIT },
  numa_stat: { file: SYSCTL_NUMA_STAT },
  numa_zonelist_order: { file: SYSCTL_NUMA_ZONELIST_ORDER },
  oom_dump_tasks: integer('oomDumpTasks', INT_MIN, INT_MAX),
  oom_kill_allocating_task: integer('oomKillAllocatingTask', INT_MIN, INT_MAX),
  overcommit_kbytes: unsignedLong('overcommitKbytes', 0, zeroOther('overcommitRatio')),
  overcommit_memory: integer('overcommitMemory', 0, 2),
  overcommit_ratio: integer('overcommitRatio', INT_MIN, INT_MAX, zeroOther('overcommitKbytes')),
  'page-cluster': integer('pageCluster', 0, 31),
  panic_on_oom: integer('panicOnOom', 0, 2),
  percpu_pagelist_high_fraction: owned(
    'percpuPagelistHighFraction',
    0,
    INT_MAX,
    writePercpuPagelistHighFraction,
    (v) => v === 0 || v >= 8,
  ),
  stat_interval: seconds('statInterval'),
  stat_refresh: statRefresh,
  swappiness: integer('swappiness', 0, 200),
  user_reserve_kbytes: unsignedLong('userReserveKbytes', 0),
  vfs_cache_pressure: integer('vfsCachePressure', 0, INT_MAX),
  watermark_boost_factor: integer('watermarkBoostFactor', 0, INT_MAX),
  watermark_scale_factor: owned('watermarkScaleFactor', 1, 3000, writeWatermarkScaleFactor),
  zone_reclaim_mode: integer('zoneReclaimMode', 0, INT_MAX),
}

const KERNEL: Readonly<Record<string, SysctlRow>> = {
  hostname: { file: { read: (state) => `${state.config.hostname}\n` } },
  numa_balancing: { file: SYSCTL_NUMA_BALANCING },
  numa_balancing_promote_rate_limit_MBps: { file: SYSCTL_PROMOTE_RATE },
  osrelease: { file: { read: (state) => `${state.config.release}\n` } },
  ostype: { file: { read: () => 'Linux\n' } },
  pid_max: integer('pidMax', 301, 4194304),
  tainted: { file: { read: (state) => `${state.taint.flags}\n` } },
  version: { file: { read: (state) => `${state.config.version}\n` } },
}

/** dentry-state: age_limit is 45 s since ever and means nothing. @kernel fs/dcache.c, fs/inode.c */
const FS: Readonly<Record<string, SysctlRow>> = {
  'dentry-state': {
    file: {
      read: (state) => {
        const { dentries, unusedDentries, negative } = dcacheCounts(state)
        return `${[dentries, unusedDentries, 45, 0, negative, 0].join('\t')}\n`
      },
    },
  },
  'inode-nr': {
    file: { read: (state) => `${dcacheCounts(state).inodes}\t${dcacheCounts(state).unusedInodes}\n` },
  },
  'inode-state': {
    file: {
      read: (state) => `${[dcacheCounts(state).inodes, dcacheCounts(state).unusedInodes, 0, 0, 0, 0, 0].join('\t')}\n`,
    },
  },
}

const TABLES: Readonly<Record<string, Readonly<Record<string, SysctlRow>>>> = { fs: FS, kernel: KERNEL, vm: VM }

const isThere = (state: KernelState, row: SysctlRow): boolean =>
  row.since === undefined || state.config.series === row.since

export const sysctlDir: PseudoDir = {
  list: (state, path) => {
    if (path === '') return Object.keys(TABLES)
    const rows = Object.hasOwn(TABLES, path) ? TABLES[path] : undefined
    if (rows === undefined) return undefined
    return Object.keys(rows)
      .filter((name) => isThere(state, rows[name]!))
      .sort()
  },
  file: (state, path) => {
    const [dir = '', name = ''] = path.split('/')
    const rows = Object.hasOwn(TABLES, dir) ? TABLES[dir]! : {}
    return Object.hasOwn(rows, name) && isThere(state, rows[name]!) ? rows[name]!.file : undefined
  },
}

/** 'vm.swappiness' → writes it; for boot. */
export function writeSysctl(state: KernelState, name: string, value: string): Errno | undefined {
  const file = sysctlDir.file(state, name.replace('.', '/'))
  if (file?.write === undefined) return 'ENOENT'
  return file.write(state, value, 0)
}
