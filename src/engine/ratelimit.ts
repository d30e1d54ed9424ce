/**
 * How often a message may be printed.
 * @kernel  lib/ratelimit.c
 */
import type { Ns } from '../util/units'

/** @kernel struct ratelimit_state */
export interface Ratelimit {
  /** −1 = never used. */
  beginNs: Ns
  printed: number
  missed: number
}

export const createRatelimit = (): Ratelimit => ({ beginNs: -1, printed: 0, missed: 0 })

/**
 * Whether one more message may be printed now.
 * @returns suppressed: how many were not, in the interval that has just ended; to be told before the message
 * @kernel  lib/ratelimit.c ___ratelimit()
 */
export function ratelimit(
  limit: Ratelimit,
  nowNs: Ns,
  { intervalNs, burst }: { readonly intervalNs: Ns; readonly burst: number },
): { readonly mayPrint: boolean; readonly suppressed: number } {
  let suppressed = 0
  if (limit.beginNs < 0) limit.beginNs = nowNs
  if (nowNs > limit.beginNs + intervalNs) {
    suppressed = limit.missed
    limit.missed = 0
    limit.beginNs = nowNs
    limit.printed = 0
  }
  const mayPrint = limit.printed < burst
  if (mayPrint) limit.printed++
  else limit.missed++
  return { mayPrint, suppressed }
}
