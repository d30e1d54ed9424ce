/** The control groups as rows of a tree, each with the amount that its bar stands for. Pure. */
import type { CgroupFrame } from '../../../protocol/messages'
import type { Bytes } from '../../../util/units'

export interface GroupRow {
  readonly group: CgroupFrame
  /** Last part of the path; '/' for the root. */
  readonly name: string
  readonly hasChildren: boolean
  readonly isOpen: boolean
  /** What the group can have at most: its own max, the tightest above it, or the machine. */
  readonly capBytes: Bytes
  /** Whose limit that is; '' is the machine's memory. */
  readonly capFrom: string
}

/** Room to the right of a group's own max, so that the mark can be pulled further. */
const ROOM = 1.25

export function capOf(
  group: CgroupFrame,
  byPath: ReadonlyMap<string, CgroupFrame>,
  memoryBytes: Bytes,
): { bytes: Bytes; from: string } {
  let tightest = { bytes: memoryBytes, from: '' }
  for (let at: CgroupFrame | undefined = group; at; at = at.parent === '' ? undefined : byPath.get(at.parent))
    if (at.max >= 0 && at.max < tightest.bytes) tightest = { bytes: at.max, from: at.path }
  return tightest
}

const lastPart = (path: string): string => (path === '/' ? '/' : path.slice(path.lastIndexOf('/') + 1))

/** Parents before children, siblings in the kernel's order; what lies below a closed group is left out. */
export function groupRows(
  groups: readonly CgroupFrame[],
  closed: ReadonlySet<string>,
  memoryBytes: Bytes,
): readonly GroupRow[] {
  const byPath = new Map(groups.map((group) => [group.path, group]))
  const children = new Map<string, CgroupFrame[]>()
  for (const group of groups)
    if (group.parent !== '') children.set(group.parent, [...(children.get(group.parent) ?? []), group])
  const rows: GroupRow[] = []
  const visit = (group: CgroupFrame): void => {
    const below = children.get(group.path) ?? []
    const cap = capOf(group, byPath, memoryBytes)
    const isOpen = !closed.has(group.path)
    rows.push({
      group,
      name: lastPart(group.path),
      hasChildren: below.length > 0,
      isOpen,
      capBytes: cap.bytes,
      capFrom: cap.from,
    })
    if (isOpen) below.forEach(visit)
  }
  groups.filter((group) => group.parent === '').forEach(visit)
  return rows
}

/** Bytes that the whole bar stands for. */
export function scaleOf(row: GroupRow, options: { isOneScale: boolean; memoryBytes: Bytes }): Bytes {
  if (options.isOneScale) return options.memoryBytes
  return row.group.max > 0 ? Math.min(row.group.max * ROOM, Math.max(options.memoryBytes, row.group.max)) : row.capBytes
}

/** Current use in percent of what the group can have. */
export const shareOfCap = (row: GroupRow): number => (row.capBytes > 0 ? (row.group.current / row.capBytes) * 100 : 0)
