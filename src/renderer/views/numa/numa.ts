/** What the NUMA view says of an answer: rates between two looks, shares of remote memory, and why a node is short. */
import type { NumaNode, NumaProcess, NumaReply } from '../../../protocol/numa'
import { NS_PER_S, type Ns } from '../../../util/units'
import { formatPagesAsBytes, joinFigure } from '../../format'

/** '0-3,8'; '' for none. */
export function listText(numbers: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < numbers.length;) {
    let j = i
    while (numbers[j + 1] === numbers[j]! + 1) j++
    parts.push(i === j ? `${numbers[i]}` : `${numbers[i]}-${numbers[j]}`)
    i = j + 1
  }
  return parts.join(',')
}

export const totalPages = (process: NumaProcess): number => process.pages.reduce((sum, pages) => sum + pages, 0)

/** Part of the process's pages that lie on another node than its CPU: 0 … 1. */
export function remoteShare(process: NumaProcess): number {
  const total = totalPages(process)
  return total === 0 ? 0 : 1 - (process.pages[process.nid] ?? 0) / total
}

// ---------------------------------------------------------------- traffic

export interface TrafficSample {
  readonly atNs: Ns
  readonly local: readonly number[]
  readonly other: readonly number[]
  readonly miss: readonly number[]
}

export interface TrafficRate {
  readonly atNs: Ns
  /** By node, calls a second. */
  readonly local: readonly number[]
  readonly other: readonly number[]
  readonly miss: readonly number[]
}

const SAMPLES_KEPT = 120

/** A new look at the end; a look from before the last one means that somebody went back in time. */
export function addTraffic(samples: readonly TrafficSample[], reply: NumaReply): readonly TrafficSample[] {
  const last = samples.at(-1)
  if (last !== undefined && reply.atNs === last.atNs) return samples
  const next: TrafficSample = {
    atNs: reply.atNs,
    local: reply.nodes.map(({ local }) => local),
    other: reply.nodes.map(({ other }) => other),
    miss: reply.nodes.map(({ miss }) => miss),
  }
  if (last === undefined || reply.atNs < last.atNs || last.local.length !== next.local.length) return [next]
  return [...samples.slice(1 - SAMPLES_KEPT), next]
}

/** Calls a second between each look and the one before. */
export function ratesOf(samples: readonly TrafficSample[]): readonly TrafficRate[] {
  return samples.slice(1).map((sample, at) => {
    const before = samples[at]!
    const seconds = (sample.atNs - before.atNs) / NS_PER_S
    const per = (now: readonly number[], then: readonly number[]): number[] =>
      now.map((value, nid) => Math.max(0, value - then[nid]!) / seconds)
    return {
      atNs: sample.atNs,
      local: per(sample.local, before.local),
      other: per(sample.other, before.other),
      miss: per(sample.miss, before.miss),
    }
  })
}

/** Points of a line 0 … 1 wide and high, y from the top; '' without at least two. */
export function linePoints(values: readonly number[], most: number): string {
  if (values.length < 2) return ''
  const x = (at: number): string => (at / (values.length - 1)).toFixed(4)
  const y = (value: number): string => (1 - (most === 0 ? 0 : value / most)).toFixed(4)
  return values.map((value, at) => `${x(at)},${y(value)}`).join(' ')
}

// ---------------------------------------------------------------- why a node is short

const size = (pages: number): string => joinFigure(formatPagesAsBytes(pages))

/** The zone that an ordinary request comes to first is at or below its low mark. */
const isShort = (node: NumaNode): boolean => {
  const zone = node.zones.at(-1)
  return zone !== undefined && zone.free <= zone.low
}

/** Who may not go elsewhere, in words. */
function confinedTo(reply: NumaReply, nid: number): string[] {
  const hasOthers = (nids: readonly number[]): boolean =>
    reply.nodes.some((node) => node.total > 0 && node.nid !== nid && !nids.includes(node.nid))
  const bound = reply.processes.filter(({ bound: nids }) => nids.includes(nid) && hasOthers(nids))
  const walled = reply.processes.filter(
    ({ bound: nids, mems }) => nids.length === 0 && mems.includes(nid) && hasOthers(mems),
  )
  const names = (list: readonly NumaProcess[]): string =>
    list
      .slice(0, 3)
      .map(({ comm, pid }) => `${comm} (${pid})`)
      .join(', ') + (list.length > 3 ? ` and ${list.length - 3} more` : '')
  return [
    ...(bound.length > 0 ? [`${names(bound)} is bound here by its memory policy`] : []),
    ...(walled.length > 0 ? [`${names(walled)} is kept here by cpuset.mems`] : []),
  ]
}

/**
 * Why this node is short although the machine has free memory; '' when it is not.
 * A request falls back to the next node of the order, unless a policy, a cpuset or zone_reclaim_mode forbids it.
 */
export function pressureText(reply: NumaReply, nid: number): string {
  const node = reply.nodes[nid]
  if (node === undefined || node.total === 0 || !isShort(node)) return ''
  const zone = node.zones.at(-1)!
  const elsewhere = reply.nodes.reduce((sum, other) => sum + (other.nid === nid ? 0 : other.free), 0)
  const head = `${zone.name} of node ${nid} has ${size(zone.free)} free, at or below low (${size(zone.low)})`
  if (elsewhere === 0) return `${head}. There is no other node.`
  const free = `${head}, while other nodes have ${size(elsewhere)}`
  const reasons = confinedTo(reply, nid)
  if (reasons.length > 0)
    return `${free}: ${reasons.join('; ')}, so reclaim and the OOM killer work on this node alone.`
  if (reply.zoneReclaimMode !== 0)
    return `${free}: vm.zone_reclaim_mode is ${reply.zoneReclaimMode}, so each allocation first reclaims cache here.`
  const next = node.order.find((other) => other !== nid)
  return `${free}: new allocations spill to node ${next ?? '–'}, as numa_miss there and numa_foreign here. Only kernel memory that must lie here, and requests bound here, feel it.`
}

/** What a click on the matrix does. */
export const migrateLine = (pid: number, from: number, to: number): string => `migratepages ${pid} ${from} ${to}`

/** kernel.numa_balancing in words. */
export const MODES: readonly { readonly mode: number; readonly title: string }[] = [
  { mode: 0, title: 'Off' },
  { mode: 1, title: 'Normal' },
  { mode: 2, title: 'Tiering' },
]
