/** Reads a tar archive (ustar, GNU long names) into text by path: what the capture script makes. Pure. */
import type { Result } from '../util/result'
import { ok, userError } from '../util/result'

const BLOCK = 512
const decoder = new TextDecoder()

function field(bytes: Uint8Array, from: number, length: number): string {
  const part = bytes.subarray(from, from + length)
  const end = part.indexOf(0)
  return decoder.decode(end < 0 ? part : part.subarray(0, end))
}

/** The header's own sum: its bytes with the sum's field read as spaces. */
function isHeader(header: Uint8Array): boolean {
  let sum = 0
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i]!
  return sum === parseInt(field(header, 148, 8).trim(), 8)
}

export function readTar(bytes: Uint8Array, name: string): Result<Record<string, string>> {
  const files: Record<string, string> = {}
  let longName = ''
  let at = 0
  while (at + BLOCK <= bytes.length && bytes[at] !== 0) {
    const header = bytes.subarray(at, at + BLOCK)
    if (!isHeader(header)) {
      return userError(
        'tar/bad-header',
        name,
        `no tar header at byte ${at}.`,
        'Bring the .tar that the capture script wrote.',
      )
    }
    const size = parseInt(field(header, 124, 12).trim() || '0', 8)
    const type = String.fromCharCode(header[156]!)
    if (at + BLOCK + size > bytes.length) {
      return userError('tar/truncated', name, `ends inside ${field(header, 0, 100)}.`, 'Copy the file again.')
    }
    const text = decoder.decode(bytes.subarray(at + BLOCK, at + BLOCK + size))
    const prefix = field(header, 345, 155)
    const path = longName || (prefix ? `${prefix}/` : '') + field(header, 0, 100)
    longName = type === 'L' ? text.replace(/\0.*$/s, '') : ''
    if (type === '0' || type === '\0') files[path.replace(/^\.\//, '')] = text
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return ok(files)
}

/** `.tar.gz` → `.tar`; anything else as it is. */
export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}
