/** Marks, reserves and per-CPU lists of the zones, as they are and as a sysctl that is being typed would make them. Pure. */
import type { ZoneMarks, ZoneTrial } from '../../../protocol/sysctl-trial'

/** A sysctl that is being typed: 'min_free_kbytes'. */
export interface TypedSysctl {
  readonly name: string
  readonly text: string
}

export interface TrialColumn {
  readonly id: string
  readonly title: string
  readonly of: (marks: ZoneMarks) => number
}

const ZONE_NAMES = ['DMA', 'DMA32', 'Normal', 'Movable'] as const

/** The marks, what is kept from requests for each higher zone, and how many pages a CPU may keep. */
export function trialColumns(zones: readonly ZoneTrial[]): readonly TrialColumn[] {
  const names = new Set(zones.map((zone) => zone.zone))
  const lowest = Math.min(...ZONE_NAMES.flatMap((name, index) => (names.has(name) ? [index] : [])))
  const reserves = ZONE_NAMES.flatMap((name, index): TrialColumn[] =>
    names.has(name) && index > lowest
      ? [{ id: `from-${name}`, title: `from ${name}`, of: (marks) => marks.protection[index] ?? 0 }]
      : [],
  )
  const hasRange = zones.some(({ before }) => before.pcpHighMin !== before.pcpHighMax)
  return [
    { id: 'min', title: 'min', of: (marks) => marks.min },
    { id: 'low', title: 'low', of: (marks) => marks.low },
    { id: 'high', title: 'high', of: (marks) => marks.high },
    ...reserves,
    { id: 'pcpMin', title: hasRange ? 'pcp high, least' : 'pcp high', of: (marks) => marks.pcpHighMin },
    ...(hasRange ? [{ id: 'pcpMax', title: 'most', of: (marks: ZoneMarks) => marks.pcpHighMax }] : []),
    { id: 'batch', title: 'batch', of: (marks) => marks.pcpBatch },
  ]
}

/** How many figures a write would change. */
export const nrChanges = (zones: readonly ZoneTrial[]): number => {
  const columns = trialColumns(zones)
  return zones.reduce((n, { before, after }) => n + columns.filter((c) => c.of(before) !== c.of(after)).length, 0)
}

/** Pages that kswapd would keep free more, or less, than now: the sum over the zones of what `high` moves. */
export const highDelta = (zones: readonly ZoneTrial[]): number =>
  zones.reduce((sum, { before, after }) => sum + after.high - before.high, 0)

export interface TrialGauge {
  /** px: min, low and high as they are, and as they would be. */
  readonly before: readonly [number, number, number]
  readonly after: readonly [number, number, number]
}

/** Both sets of marks on one scale: the larger `high` stands near the right end. */
export function trialGauge({ before, after }: ZoneTrial, width: number): TrialGauge {
  const most = Math.max(1, before.high, after.high)
  const x = (pages: number): number => Math.round((pages / most) * (width - 4)) + 1
  const marks = (of: ZoneMarks): readonly [number, number, number] => [x(of.min), x(of.low), x(of.high)]
  return { before: marks(before), after: marks(after) }
}
