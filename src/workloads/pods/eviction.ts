/**
 * Which pod the kubelet takes down when memory runs short.
 * @spec    7.9
 * @source  pkg/kubelet/eviction/helpers.go rankMemoryPressure()
 */
import type { Bytes } from '../../util/units'

export interface Candidate {
  readonly folder: string
  readonly name: string
  readonly cgroup: string
  readonly priority: number
  readonly requestBytes: Bytes
  /** memory.current − inactive_file. */
  readonly workingSetBytes: Bytes
}

/** From here on a pod is critical and is not evicted. */
const CRITICAL_PRIORITY = 2_000_000_000

/**
 * Who uses more than it asked for goes first, then the lower priority, then who is furthest above its request.
 * @returns undefined when nobody may be taken
 */
export function pickVictim(candidates: readonly Candidate[]): Candidate | undefined {
  const over = (c: Candidate): number => c.workingSetBytes - c.requestBytes
  return candidates
    .filter((c) => c.priority < CRITICAL_PRIORITY)
    .toSorted(
      (a, b) =>
        Number(over(b) > 0) - Number(over(a) > 0) ||
        a.priority - b.priority ||
        over(b) - over(a) ||
        (a.name < b.name ? -1 : 1),
    )[0]
}

/** memory.available, as the kubelet computes it for the node: what is free, and file pages that nobody uses. */
export function availableBytes(meminfo: string, rootStat: string): Bytes {
  const free = Number(/^MemFree:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0) * 1024
  return free + inactiveFile(rootStat)
}

export const inactiveFile = (stat: string): Bytes => Number(/^inactive_file (\d+)$/m.exec(stat)?.[1] ?? 0)
