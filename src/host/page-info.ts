/** One struct page as a message: the engine's facts with the names that people know: paths, commands, lists. */
import { cgroupPath } from '../engine/cgroup'
import { inodePath } from '../engine/fs/inode_path'
import { isPageblockSkipped } from '../engine/mm/compaction_state'
import { MIGRATE_NAMES, ZONE_NAMES } from '../engine/mm/gfp'
import { folioLruvec } from '../engine/mm/lruvec'
import { flagNames } from '../engine/mm/page_flags'
import { pageFacts, type LruFacts, type PageFacts } from '../engine/mm/page_facts'
import type { PageMapFacts } from '../engine/mm/page_map'
import { FRAME_FILE } from '../engine/mm/page_kinds'
import { PG_SWAPBACKED } from '../engine/mm/memmap'
import { findVma } from '../engine/mm/vma_find'
import type { KernelState } from '../engine/state'
import type { PageInfo, PageOwner } from '../protocol/page-map'
import { vpnToAddress, type Pfn } from '../util/units'

const LRU_NAMES = ['inactive_anon', 'active_anon', 'inactive_file', 'active_file', 'unevictable'] as const

export function buildPageInfo(state: KernelState, map: PageMapFacts, pfn: Pfn): PageInfo {
  const facts = pageFacts(state, map, pfn)
  const zone = state.zones[facts.zone]
  return {
    atNs: state.nowNs,
    pfn,
    owner: facts.owner,
    nid: zone?.nid ?? -1,
    zone: zone === undefined ? '' : ZONE_NAMES[zone.idx]!,
    migratetype: MIGRATE_NAMES[facts.migratetype] ?? String(facts.migratetype),
    blockSkipped: isPageblockSkipped(state, pfn),
    flags: flagNames(facts.flags, facts.order),
    head: facts.head,
    order: facts.order,
    refcount: facts.refcount,
    mapcount: facts.mapcount,
    memcg: memcgPath(state, facts.memcg),
    mappings: facts.mappings.map(({ mm, vpn }) => ({
      ...taskOfMm(state, mm),
      address: vpnToAddress(vpn),
      vma: vmaName(state, mm, vpn),
    })),
    ...(facts.free === undefined ? {} : { free: { ...facts.free, type: MIGRATE_NAMES[facts.free.type]! } }),
    ...(facts.pcpCpu < 0 ? {} : { pcpCpu: facts.pcpCpu }),
    ...(facts.lru === undefined ? {} : { lru: lruInfo(state, pfn, facts.lru) }),
    ...(facts.swapSlot < 0 ? {} : { swapSlot: facts.swapSlot }),
    ...fileInfo(state, facts),
    ...tableInfo(state, facts),
    ...slabInfo(state, facts),
    ...(facts.stackOf === 0 ? {} : { stackOf: taskOf(state, facts.stackOf) }),
  }
}

const memcgPath = (state: KernelState, id: number): string => {
  const memcg = state.memcgs[id]
  return memcg === undefined ? '' : cgroupPath(state, memcg.cgroup)
}

const taskOf = (state: KernelState, pid: number): PageOwner => ({ pid, comm: state.tasks[pid]?.comm ?? '' })

/** The first task that has this address space. */
function taskOfMm(state: KernelState, mm: number): PageOwner {
  const pid = state.taskList.find((p) => state.tasks[p]?.mm === mm) ?? 0
  return taskOf(state, pid)
}

function vmaName(state: KernelState, mm: number, vpn: number): string {
  const space = state.mms[mm]
  return (space === undefined ? undefined : findVma(space, vpn))?.name ?? ''
}

function lruInfo(state: KernelState, pfn: Pfn, lru: LruFacts): NonNullable<PageInfo['lru']> {
  const { isOffList, next, prev, isFile, seq, age } = lru
  if (seq < 0) return { name: LRU_NAMES[lru.list]!, isOffList, next, prev }
  const { gen } = folioLruvec(state, pfn)
  const kind = isFile ? 'file' : 'anon'
  const min = gen.minSeq[isFile ? 1 : 0]!
  const rank = age === 0 ? 'youngest' : seq === min ? 'oldest' : `${age} behind the youngest`
  return { name: `${kind} generation ${seq} of ${min}–${gen.maxSeq}, ${rank}`, isOffList, next, prev }
}

function fileInfo(state: KernelState, facts: PageFacts): Pick<PageInfo, 'file'> {
  if (facts.owner !== FRAME_FILE) return {}
  const { mapping: ino, index } = facts
  return { file: { ino, path: inodePath(state, ino), index, isShmem: (facts.flags & PG_SWAPBACKED) !== 0 } }
}

function tableInfo(state: KernelState, { table }: PageFacts): Pick<PageInfo, 'table'> {
  if (table === undefined) return {}
  return { table: { ...taskOfMm(state, table.mm), level: table.level, address: vpnToAddress(table.base) } }
}

function slabInfo(state: KernelState, { slabRow }: PageFacts): Pick<PageInfo, 'slab'> {
  if (slabRow === 0) return {}
  const s = state.slabs
  const cache = s.caches[s.cache[slabRow]!]!
  return {
    slab: {
      cache: cache.name,
      objects: s.objects[slabRow]!,
      inuse: s.inuse[slabRow]!,
      objectSize: cache.objectSize,
    },
  }
}
