/** Clocks of a measurement. CPU time, because other programs share the machine; wall time where waiting is the point. */
import { median } from './figure'

/** CPU seconds of this process so far, its compiler and collector threads included. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

export function cpuSecondsOf(work: () => void): number {
  const start = cpuSeconds()
  work()
  return cpuSeconds() - start
}

/** Median CPU seconds of `rounds` runs, after one that warms up. */
export function medianCpuSeconds(rounds: number, work: () => void): number {
  work()
  return median(Array.from({ length: rounds }, () => cpuSecondsOf(work)))
}

/** xorshift32: the same sequence as bench/*.c. */
export function createRandom(seed: number): () => number {
  let x = seed | 0
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return x >>> 0
  }
}

/** 0 … n−1 in an order that the C programs make too. */
export function shuffledIndices(n: number, seed: number): number[] {
  const random = createRandom(seed)
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = random() % (i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}
