/** Which memory limit a container needs: the request, what is told while limits are tried, and the answer. */
import type { KubeletOptions } from '../profiles'
import type { Bytes, Ns } from '../util/units'

/** Tries limits one after the other, each on a machine of its own; for a session that has none running. */
export interface Advise {
  readonly kind: 'advise'
  /** YAML. */
  readonly text: string
  readonly fileName: string
  /** A ready machine's name, or a profile's text. */
  readonly profile: string
  readonly seed: number
  /** NAME or POD/NAME; '' is the first that has a limit, else the first. */
  readonly container: string
  /** Program that stands for its code; '' as the manifest has it. */
  readonly workload: string
  /** Simulated time that each limit is tried for. */
  readonly forNs: Ns
  readonly options: KubeletOptions
}

/** What came of one limit. */
export interface AdvisePoint {
  readonly limitBytes: Bytes
  readonly peakBytes: Bytes
  readonly faults: number
  readonly majorFaults: number
  readonly refaults: number
  /** Time in which some task of the container waited for memory. */
  readonly stallNs: Ns
  /** The same as a share of the run, percent. */
  readonly psiPercent: number
  readonly kills: number
  readonly restarts: number
  /** memory.events: how often the limit was met. */
  readonly maxEvents: number
  readonly isEvicted: boolean
  /** Direct reclaim of the whole node during the run. */
  readonly allocStalls: number
  /** Anonymous memory at half of the run and at its end. */
  readonly anonHalfBytes: Bytes
  readonly anonBytes: Bytes
  readonly verdict: 'killed' | 'tight' | 'holds'
}

export interface AdviseProgress {
  readonly done: number
  /** Grows when a border has to be found more exactly. */
  readonly total: number
  readonly point: AdvisePoint
}

export interface AdviseReport {
  readonly format: 'pagewalk-advice'
  readonly version: 1
  readonly pod: string
  readonly container: string
  readonly workload: string
  readonly machine: string
  readonly seed: number
  readonly forNs: Ns
  /** The manifest's own limit. */
  readonly ownBytes: Bytes | undefined
  /** Without a limit of its own. */
  readonly unlimited: AdvisePoint
  /** Ascending by limit. */
  readonly points: readonly AdvisePoint[]
  /** The smallest limit that nothing was killed at, nor at any above it. */
  readonly survivesBytes: Bytes | undefined
  /** The smallest limit that holds, as does every one above it. */
  readonly kneeBytes: Bytes | undefined
  readonly suggestedBytes: Bytes | undefined
  /** What the manifest's own limit comes to: 'none' when it has none and lives. */
  readonly verdict: AdvisePoint['verdict'] | 'none'
  readonly sentences: readonly string[]
  /** '' without a suggestion. */
  readonly yaml: string
  readonly systemd: string
  readonly sysctl: string
  readonly notes: readonly string[]
}

/** Share of a run, percent, that tasks may wait for memory beyond what they wait without a limit. */
export const TIGHT_PSI_PERCENT = 1
/** Room above the knee in a suggestion, for what a run of this length does not show. */
export const HEADROOM_PERCENT = 10
