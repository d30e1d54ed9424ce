/** kernelcore= and movablecore=: a size or a share of all RAM. */
import type { Bytes } from '../util/units'
import { parseSize } from './sizes'

/** '1G' → bytes; '30%' → that share of `total`; undefined for anything else ('mirror' needs firmware that we lack). */
export function parseCore(text: string, total: Bytes): Bytes | undefined {
  const share = /^(\d{1,3})%$/.exec(text.trim())
  if (!share) return parseSize(text)
  const percent = Number(share[1])
  return percent <= 100 ? Math.floor((total / 100) * percent) : undefined
}
