/**
 * Seeded random numbers by stream name: a new consumer never shifts the draws of another. Integers only.
 * xorshift128 seeded through a string hash.
 */
export interface PrngState {
  readonly seed: number
  /** Stream name → four 32-bit words. */
  readonly streams: Record<string, number[]>
}

export const createPrng = (seed: number): PrngState => ({ seed, streams: {} })

function seedStream(seed: number, name: string): number[] {
  let h = (seed ^ 0x9e3779b9) | 0
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193)
  const words: number[] = []
  for (let i = 0; i < 4; i++) {
    h = (h + 0x6d2b79f5) | 0
    let t = Math.imul(h ^ (h >>> 15), h | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    words.push((t ^ (t >>> 14)) >>> 0)
  }
  return words
}

/** 32 random bits of the stream. */
export function nextBits(prng: PrngState, stream: string): number {
  const s = (prng.streams[stream] ??= seedStream(prng.seed, stream))
  let t = s[3]!
  const first = s[0]!
  s[3] = s[2]!
  s[2] = s[1]!
  s[1] = first
  t ^= t << 11
  t ^= t >>> 8
  s[0] = (t ^ first ^ (first >>> 19)) >>> 0
  return s[0]!
}

/** A number in [0, bound). The modulo's bias is below 2^-32 × bound. */
export const below = (prng: PrngState, stream: string, bound: number): number => nextBits(prng, stream) % bound
/** True `num` times out of `den`. */
export const chance = (prng: PrngState, stream: string, num: number, den: number): boolean =>
  below(prng, stream, den) < num
