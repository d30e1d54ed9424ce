/** Reads a tar archive (ustar, GNU and pax) into the texts of its files. Kernel files are ASCII. */
import { ok, userError, type Result } from '../../util/result'

const BLOCK = 512

/** @param bytes  the archive, not compressed */
export function readTar(bytes: Uint8Array, fileName: string): Result<Record<string, string>> {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    return userError('import/compressed', fileName, 'The archive is compressed with gzip.', 'Unpack it first: gunzip.')
  }
  const files: Record<string, string> = {}
  let longName: string | undefined
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
    const header = ascii(bytes, at, at + BLOCK)
    if (header.slice(257, 262) !== 'ustar') {
      return userError(
        'import/tar',
        `${fileName}: byte ${at}`,
        'There is no tar header here.',
        'Give a tar made by the capture script, or a folder.',
      )
    }
    const size = Number.parseInt(cString(header, 124, 12), 8)
    const end = at + BLOCK + size
    if (!(end <= bytes.length)) {
      return userError(
        'import/truncated',
        `${fileName}: byte ${at}`,
        `The archive ends inside ${cString(header, 0, 100)}.`,
        'Copy the whole archive again.',
      )
    }
    const body = ascii(bytes, at + BLOCK, end)
    const type = header[156]
    if (type === 'L') longName = cString(body, 0, body.length)
    else if (type === 'x') longName = /\d+ path=(.*)\n/.exec(body)?.[1]
    else {
      if (type === '0' || type === '\0') files[longName ?? fullName(header)] = body
      longName = undefined
    }
    at = BLOCK + at + Math.ceil(size / BLOCK) * BLOCK
  }
  if (Object.keys(files).length === 0)
    return userError('import/empty', fileName, 'The archive holds no files.', 'Take the capture again.')
  return ok(files)
}

function fullName(header: string): string {
  const prefix = cString(header, 345, 155)
  return (prefix === '' ? '' : `${prefix}/`) + cString(header, 0, 100)
}

const cString = (text: string, at: number, length: number): string =>
  text
    .slice(at, at + length)
    .split('\0')[0]!
    .trim()

function ascii(bytes: Uint8Array, from: number, to: number): string {
  let text = ''
  for (let at = from; at < to; at += 8192) text += String.fromCharCode(...bytes.subarray(at, Math.min(at + 8192, to)))
  return text
}
