/** kswapd's decisions in words. Pure. */
import type { KswapdDecision, KswapdNow } from '../../../protocol/reclaim'
import { formatCount, formatDuration, joinFigure } from '../../format'

const n = formatCount
/** @kernel MAX_RECLAIM_RETRIES */
export const FAILURES_MAX = 16

export function phaseText(now: KswapdNow): string {
  if (now.failures >= FAILURES_MAX)
    return `has given up after ${FAILURES_MAX} fruitless runs: tasks reclaim for themselves`
  if (now.phase === 'asleep') return 'asleep until an allocation finds its zones below low'
  if (now.phase === 'napping') return 'rests 100 ms; if the node is still balanced then, it sleeps'
  return `runs at priority ${now.priority}: ${n(now.reclaimed)} pages freed in this run`
}

export const cpuText = ({ cpuNs }: KswapdNow): string => `${joinFigure(formatDuration(cpuNs))} on a CPU since boot`

/** 'free 1234 < low 2345': the zone that decides, against the mark that it is held against. */
export function zoneText(decision: KswapdDecision, names: (zone: number) => string): string {
  const mark = decision.verb === 'wakeup' || decision.verb === 'low-hit' ? 'low' : 'high'
  const zones = decision.zones
  if (zones.length === 0) return ''
  // One zone above the mark is enough; when there is none, the highest zone tells.
  const best = zones.find((zone) => zone.free > zone[mark] + zone.reserve) ?? zones.at(-1)!
  const sign = best.free > best[mark] + best.reserve ? '>' : '≤'
  const reserve = best.reserve > 0 ? ` + reserve ${n(best.reserve)}` : ''
  const boost = best.boost > 0 ? ` (${n(best.boost)} of it boost)` : ''
  return `${names(best.zone)} free ${n(best.free)} ${sign} ${mark} ${n(best[mark])}${reserve}${boost}`
}

const order = (d: KswapdDecision): string => (d.order > 0 ? ` for order ${d.order}` : '')

/** What it did, and why. */
export function verbText(d: KswapdDecision): string {
  switch (d.verb) {
    case 'wakeup':
      return `woken by ${d.comm || 'the kernel'} ${d.pid || ''}`.trimEnd() + order(d)
    case 'begin':
      return `begins a run${order(d)}`
    case 'low-hit':
      return 'its rest ended early: below low again'
    case 'high-hit':
      return 'not balanced after all: another run'
    case 'nap':
      return 'balanced: rests'
    case 'sleep':
      return 'still balanced: sleeps'
    case 'failure':
      return `freed nothing at any priority: failure ${d.failures} of ${FAILURES_MAX}`
  }
}
