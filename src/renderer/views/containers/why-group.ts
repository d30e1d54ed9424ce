/** Why a group gets the protection it gets, and why its tasks sleep: the kernel's rules with its numbers. Pure. */
import type { CgroupFrame } from '../../../protocol/messages'
import { formatBytes, formatDuration, joinFigure } from '../../format'
import type { Bytes, Ns } from '../../../util/units'
import { HZ, jiffiesToNs, PAGE_SIZE } from '../../../util/units'

export interface WhyRow {
  readonly label: string
  readonly text: string
  readonly isResult?: boolean
}

const size = (bytes: Bytes): string => (bytes === 0 ? '0' : joinFigure(formatBytes(bytes)))
const asked = (group: CgroupFrame, kind: 'min' | 'low'): Bytes => (group[kind] < 0 ? Infinity : group[kind])
/** A group is protected only for what it uses. */
const claim = (group: CgroupFrame, kind: 'min' | 'low'): Bytes => Math.min(group.current, asked(group, kind))

/**
 * How much of memory.low (or min) a group really gets. The result is the kernel's, from its last reclaim.
 * @kernel mm/page_counter.c effective_protection()
 */
export function protectionRows(
  group: CgroupFrame,
  groups: readonly CgroupFrame[],
  kind: 'min' | 'low',
): readonly WhyRow[] {
  const parent = groups.find((other) => other.path === group.parent)
  const given = kind === 'min' ? group.emin : group.elow
  const rows: WhyRow[] = [
    { label: `memory.${kind} asks`, text: group[kind] < 0 ? 'max' : size(group[kind]) },
    { label: 'in use, at most that counts', text: size(claim(group, kind)) },
  ]
  if (parent && parent.path !== '/') {
    const siblings = groups.filter((other) => other.parent === parent.path)
    rows.push(
      { label: `${parent.path} can give`, text: size(kind === 'min' ? parent.emin : parent.elow) },
      {
        label: `its ${siblings.length} children claim`,
        text: size(siblings.reduce((sum, other) => sum + claim(other, kind), 0)),
      },
    )
  } else rows.push({ label: 'the root gives all that is asked', text: '' })
  return [...rows, { label: 'given at the last reclaim', text: given < 0 ? 'max' : size(given), isResult: true }]
}

/** Pages that a task charges between two returns to user mode. @kernel MEMCG_CHARGE_BATCH */
const BATCH_PAGES = 64
const DELAY_JIFFIES_MAX = 2 * HZ
/** Sleeps shorter than this are let off. @kernel penalty_jiffies <= HZ / 100 */
const DELAY_JIFFIES_MIN = Math.floor(HZ / 100)
/** 2^20 squared over 2^34: how the kernel's fixed-point fractions come out. */
const SCALE = 64

export interface HighPenalty {
  readonly overBytes: Bytes
  readonly overPercent: number
  readonly jiffies: number
  readonly ns: Ns
  readonly words: string
}

/**
 * How long a task sleeps after charging 64 pages while its group is past memory.high.
 * @kernel mm/memcontrol.c calculate_high_delay()
 */
export function highPenalty(group: CgroupFrame): HighPenalty | undefined {
  if (group.high < 0 || group.current <= group.high) return undefined
  const overBytes = group.current - group.high
  const over = overBytes / Math.max(PAGE_SIZE, group.high)
  const raw = Math.floor(over * over * HZ * SCALE)
  const jiffies = raw <= DELAY_JIFFIES_MIN ? 0 : Math.min(raw, DELAY_JIFFIES_MAX)
  const ns = jiffiesToNs(jiffies)
  const sum = `Over by ${size(overBytes)}, ${(over * 100).toFixed(1)} %. Penalty = over² × HZ × ${SCALE} = ${raw} jiffies for ${BATCH_PAGES} pages`
  const end =
    raw <= DELAY_JIFFIES_MIN
      ? `: ${DELAY_JIFFIES_MIN} or less are let off, so nobody sleeps yet.`
      : raw > DELAY_JIFFIES_MAX
        ? `, cut to ${joinFigure(formatDuration(ns))}.`
        : `, ${joinFigure(formatDuration(ns))}.`
  return { overBytes, overPercent: over * 100, jiffies, ns, words: sum + end }
}

// ---------------------------------------------------------------- refusals

/** Our explanation beside the kernel's errno, for what a person can do with a group. */
export function whyRefused(
  action: 'mkdir' | 'rmdir' | 'procs' | 'subtree' | 'limit',
  error: { readonly code: string; readonly message: string; readonly fix: string },
  group: CgroupFrame | undefined,
): string {
  return [error.message, error.fix || explain(action, error.code, group)].filter(Boolean).join(' ')
}

function explain(action: string, code: string, group: CgroupFrame | undefined): string {
  const members = group && group.processes.length > 0 ? ` (pid ${group.processes.slice(0, 6).join(', ')})` : ''
  if (action === 'mkdir' && code === 'EEXIST') return 'There is a file or group of that name already.'
  if (action === 'mkdir') return 'A name must not hold a slash or begin a kernel file’s name.'
  if (action === 'rmdir' && code === 'EBUSY')
    return members
      ? `It still has processes${members}: move or kill them first.`
      : 'It still has groups below it: remove those first.'
  if (action === 'procs' && code === 'EBUSY')
    return 'The group hands controllers down to its children, and such a group may hold no processes of its own.'
  if (action === 'procs' && code === 'ESRCH') return 'That process has ended.'
  if (action === 'subtree' && code === 'EBUSY')
    return `The group has processes of its own${members}: Linux hands controllers down only from groups without any. Move them into a child first.`
  if (action === 'subtree' && code === 'ENOENT') return 'The group above does not hand the controller down to this one.'
  if (action === 'limit' && code === 'EINVAL') return 'Write a size such as 100M, bytes, or max.'
  return ''
}
