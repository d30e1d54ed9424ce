/** UTF-8 length without TextEncoder: pure folders have none. */
import type { Bytes } from './units'

export function byteLength(text: string): Bytes {
  let n = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 0x80) n += 1
    else if (c < 0x800) n += 2
    else if (c >= 0xd800 && c < 0xdc00) {
      n += 4
      i++
    } else n += 3
  }
  return n
}
