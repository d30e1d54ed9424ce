/**
 * What must hold for memory cgroups at every moment between two events.
 * @spec 07 §7.10 invariants
 */
import type { Pages } from '../../util/units'
import { cgroupPath } from '../cgroup'
import type { KernelState } from '../state'
import { MEMCG_EVENT_NAMES, NR_MEMCG_EVENTS } from './memcg_events'
import { stockedPages } from './memcg_stock'
import { nextMemcg, ROOT_MEMCG } from './memcg_tree'
import type { Memcg } from './memcontrol'
import { folioNrPages } from './folio'
import { pageMemcg } from './memmap'

/** Frames charged to each group. */
function chargedFrames(state: KernelState): Float64Array {
  const counts = new Float64Array(state.memcgs.length)
  const { memmap } = state
  for (let pfn = 1; pfn < memmap.endPfn; pfn++) {
    const id = pageMemcg(memmap, pfn)
    if (id !== 0 && id < counts.length) counts[id]! += folioNrPages(memmap, pfn)
  }
  return counts
}

function checkCounters(state: KernelState, memcg: Memcg, own: Pages, name: string): string[] {
  const found: string[] = []
  let children = 0
  let childrenMin = 0
  let childrenLow = 0
  for (const id of memcg.children) {
    const child = state.memcgs[id]
    if (child === undefined) return [`memcg ${name}: child ${id} does not exist`]
    children += child.memory.usage
    childrenMin += Math.min(child.memory.usage, child.memory.min)
    childrenLow += Math.min(child.memory.usage, child.memory.low)
  }
  const { usage, childrenMinUsage, childrenLowUsage } = memcg.memory
  if (usage !== own + children) found.push(`memcg ${name}: usage ${usage}, own ${own} + children ${children}`)
  if (childrenMinUsage !== childrenMin)
    found.push(`memcg ${name}: min of children ${childrenMinUsage}, is ${childrenMin}`)
  if (childrenLowUsage !== childrenLow)
    found.push(`memcg ${name}: low of children ${childrenLowUsage}, is ${childrenLow}`)
  if (memcg.memory.watermark < usage) found.push(`memcg ${name}: peak ${memcg.memory.watermark} below usage ${usage}`)
  return found
}

function checkEvents(memcg: Memcg, name: string): string[] {
  const found: string[] = []
  if (memcg.id === ROOT_MEMCG) return found
  for (let i = 0; i < NR_MEMCG_EVENTS; i++) {
    if (memcg.events[i]! < memcg.eventsLocal[i]!) {
      found.push(
        `memcg ${name}: event ${MEMCG_EVENT_NAMES[i] ?? i} ${memcg.events[i]!}, local ${memcg.eventsLocal[i]!}`,
      )
    }
  }
  return found
}

/** Every live process is in exactly the list of its group. */
function checkMembership(state: KernelState): string[] {
  const found: string[] = []
  for (const cgroup of state.cgroups) {
    for (const pid of cgroup?.tasks ?? []) {
      const task = state.tasks[pid]
      if (task === undefined || task.state === 'Z')
        found.push(`cgroup ${cgroup!.name}: lists pid ${pid}, which is gone`)
      else if (task.cgroup !== cgroup!.id)
        found.push(`cgroup ${cgroup!.name}: lists pid ${pid} of group ${task.cgroup}`)
    }
  }
  for (const pid of state.taskList) {
    const task = state.tasks[pid]
    if (task === undefined || task.state === 'Z') continue
    if (state.cgroups[task.cgroup]?.tasks.includes(task.tgid) !== true)
      found.push(`pid ${pid} is in no list of cgroup ${task.cgroup}`)
  }
  return found
}

/** @model  violations with group and numbers; empty when all hold */
export function checkMemcg(state: KernelState): string[] {
  if (state.memcgs[ROOT_MEMCG] === undefined) return []
  const frames = chargedFrames(state)
  const found = checkMembership(state)
  for (let id = ROOT_MEMCG; id !== 0; id = nextMemcg(state, ROOT_MEMCG, id)) {
    const memcg = state.memcgs[id]!
    const name = `${id} (${cgroupPath(state, memcg.cgroup)})`
    const own = frames[id]! + memcg.slabPages + stockedPages(state, id)
    found.push(...checkCounters(state, memcg, own, name), ...checkEvents(memcg, name))
  }
  return found
}
