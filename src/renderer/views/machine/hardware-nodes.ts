/** Nodes of a profile: how many, with which CPUs, memory and distances, and what a hand on the drawing does to them. Pure. */
import type { MachineProfile, ProfileNode } from '../../../profiles'
import { formatCpuList, nodeSize, parseCpuList, spellSize } from '../../../profiles'
import { MIB, type Bytes } from '../../../util/units'

const DISTANCE_LOCAL = 10
const DISTANCE_REMOTE = 20
/** Memory behind a slower link. */
const DISTANCE_CXL = 30
/** A node that is drawn smaller can no longer be gripped. */
const NODE_MIN: Bytes = 64 * MIB
const STEPS = 128

export const cpuCount = (node: ProfileNode): number => parseCpuList(node.cpus)?.length ?? 0

/** NUMA distances with their defaults filled in. */
export const distancesOf = (profile: MachineProfile): readonly (readonly number[])[] =>
  profile.nodes.map((_, i) =>
    profile.nodes.map((_node, j) => profile.distances?.[i]?.[j] ?? (i === j ? DISTANCE_LOCAL : DISTANCE_REMOTE)),
  )

/** What only a capture knows (ranges, firmware, reservations) no longer holds once memory is laid out anew. */
export function withoutCapture(profile: MachineProfile): MachineProfile {
  if (!profile.nodes.some((node) => node.ranges)) return profile
  const { firmware: _firmware, reservations: _reservations, ...rest } = profile
  return {
    ...rest,
    nodes: profile.nodes.map((node) => ({
      size: spellSize(Math.round(nodeSize(node) / MIB) * MIB),
      cpus: node.cpus,
    })),
  }
}

/** CPUs numbered through, node by node, as firmware does. */
export function withCpuCounts(profile: MachineProfile, counts: readonly number[]): MachineProfile {
  let next = 0
  const nodes = profile.nodes.map((node, i) => {
    const cpus = Array.from({ length: counts[i] ?? 0 }, () => next++)
    return { ...node, cpus: formatCpuList(cpus) }
  })
  return { ...profile, nodes }
}

export function withNodeCount(profile: MachineProfile, count: number): MachineProfile {
  const bare = withoutCapture(profile)
  const last = bare.nodes.at(-1) ?? { size: '1G', cpus: '0' }
  const nodes = Array.from({ length: count }, (_, i) => bare.nodes[i] ?? last)
  const counts = nodes.map(cpuCount)
  if (!counts.some((n) => n > 0)) counts[0] = 1
  const { distances: _old, ...rest } = withCpuCounts({ ...bare, nodes }, counts)
  return profile.distances === undefined
    ? rest
    : { ...rest, distances: distancesOf({ ...rest, distances: profile.distances }).map((row) => [...row]) }
}

// ---------------------------------------------------------------- by hand, on the drawing

/** Memory of each node as it stands in the draft; a text that is no size counts as nothing. */
export const nodeBytes = (profile: MachineProfile): number[] =>
  profile.nodes.map((node) => {
    const bytes = nodeSize(node)
    return Number.isFinite(bytes) && bytes > 0 ? bytes : 0
  })

/** How much memory one step of a handle moves: a power of two, about a hundredth of the machine. */
export function moveStep(profile: MachineProfile): Bytes {
  const total = nodeBytes(profile).reduce((sum, bytes) => sum + bytes, 0)
  let step = 2 * MIB
  while (step * 2 * STEPS <= total) step *= 2
  return step
}

/** Memory goes from a node to its neighbour at the right; negative: the other way. As far as both keep the least. */
export function withMemoryMoved(profile: MachineProfile, left: number, bytes: Bytes): MachineProfile {
  const bare = withoutCapture(profile)
  const sizes = nodeBytes(bare)
  const [a = 0, b = 0] = [sizes[left], sizes[left + 1]]
  const moved = Math.max(Math.min(bytes, a - NODE_MIN), NODE_MIN - b)
  if (moved === 0 || a + b < 2 * NODE_MIN) return profile
  sizes[left] = a - moved
  sizes[left + 1] = b + moved
  return { ...bare, nodes: bare.nodes.map((node, nid) => ({ cpus: node.cpus, size: spellSize(sizes[nid]!) })) }
}

function withNodeAdded(profile: MachineProfile, isMemoryOnly: boolean): MachineProfile {
  const added = withNodeCount(profile, profile.nodes.length + 1)
  const last = added.nodes.length - 1
  const counts = added.nodes.map((node, nid) => (nid < last ? cpuCount(node) : isMemoryOnly ? 0 : cpuCount(node) || 1))
  const made = withCpuCounts(added, counts)
  if (!isMemoryOnly) return made
  const distances = distancesOf(made).map((row, i) =>
    row.map((distance, j) => (i !== j && (i === last || j === last) ? DISTANCE_CXL : distance)),
  )
  return { ...made, distances }
}

/** The node leaves with its memory, its CPUs and its row and column of distances. */
function withNodeRemoved(profile: MachineProfile, gone: number): MachineProfile {
  if (profile.nodes.length < 2) return profile
  const bare = withoutCapture(profile)
  const keep = <T>(list: readonly T[]): T[] => list.filter((_, nid) => nid !== gone)
  const nodes = keep(bare.nodes)
  const counts = nodes.map(cpuCount)
  if (!counts.some((count) => count > 0)) counts[0] = 1
  const { distances: old, ...rest } = bare
  const next = withCpuCounts({ ...rest, nodes }, counts)
  return old === undefined ? next : { ...next, distances: keep(old).map((row) => keep(row)) }
}

/**
 * The profile after a hand was laid on a node: 'node.add', 'node.addMemory', 'node.remove.2', 'node.move.0' (`value` bytes
 * from node 0 to node 1).
 */
export function withNodeShape(profile: MachineProfile, id: string, value: number): MachineProfile {
  const [, verb, nid = '0'] = id.split('.')
  if (verb === 'add' || verb === 'addMemory') return withNodeAdded(profile, verb === 'addMemory')
  if (verb === 'remove') return withNodeRemoved(profile, Number(nid))
  return verb === 'move' && Number.isFinite(value) ? withMemoryMoved(profile, Number(nid), value) : profile
}
