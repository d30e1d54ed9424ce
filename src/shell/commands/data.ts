/**
 * Files of data: what programs write has a length but no text, and a long file is not read in no time. Such files are
 * read and copied as a process does it, call by call, through the page cache and in the tool's own time.
 */
import type { Refusal } from '../../engine/commands'
import type { HostOp } from '../../engine/task'
import { resolvePath } from '../paths'
import type { ToolContext } from '../process'
import { isPseudoPath } from '../stream'

/** A shorter file is read by one call whose time does not matter. */
export const DATA_BYTES = 65_536
/** Of one call: others run in between all the same, so it only says how often the log speaks of it. */
const PIECE_BYTES = 8 * 1_048_576
/** Bytes without text become NULs for tools that look at them; more of them would only fill this program's memory. */
export const KEPT_BYTES = 64 * 1_048_576

/** The kernel refused a call on a file of data. */
export class DataError extends Error {
  readonly path: string
  readonly refusal: Refusal
  constructor(path: string, refusal: Refusal) {
    super(refusal.errno)
    this.path = path
    this.refusal = refusal
  }
}

/** Whether the path is a regular file that takes time to read. */
export function isData(context: ToolContext, path: string): boolean {
  const full = resolvePath(context.cwd, path)
  if (isPseudoPath(full)) return false
  const stat = context.sys.stat(context.pid, full)
  return stat.ok && stat.value.kind === 'file' && stat.value.sizeBytes >= DATA_BYTES
}

/** A piece of data: its length, and its text as far as the machine keeps it. */
interface Piece {
  readonly value: number
  readonly text: string
}

/** @throws DataError */
async function call(context: ToolContext, path: string, op: HostOp): Promise<Piece> {
  const done = await context.doom.race(context.sys.perform(context.pid, op), { interruptible: false })
  if (!done.ok) throw new DataError(path, done.error)
  return done.value
}

const open = async (context: ToolContext, path: string, how: { write: boolean; append: boolean }): Promise<number> => {
  const flags = how.write ? { write: true, create: true, append: how.append, truncate: !how.append } : {}
  return (await call(context, path, { op: 'open', path: resolvePath(context.cwd, path), ...flags })).value
}

/**
 * Reads a file piece by piece: `bytes` at most, after `skip` that are read and dropped.
 *
 * @throws DataError
 */
export async function* readPieces(
  context: ToolContext,
  path: string,
  part: { readonly bytes: number; readonly skip: number },
): AsyncGenerator<Piece> {
  const fd = await open(context, path, { write: false, append: false })
  const end = part.skip + part.bytes
  for (let at = 0; at < end;) {
    const border = at < part.skip ? part.skip : end
    const piece = await call(context, path, { op: 'read', fd, length: Math.min(PIECE_BYTES, border - at) })
    if (piece.value === 0) break
    if (at >= part.skip) yield piece
    at += piece.value
  }
  await call(context, path, { op: 'close', fd })
}

/** What /dev/zero gives. */
export async function* zeroPieces(bytes: number): AsyncGenerator<Piece> {
  for (let left = bytes; left > 0; left -= PIECE_BYTES) yield { value: Math.min(left, PIECE_BYTES), text: '' }
}

/**
 * Writes pieces to a file, or to nowhere.
 *
 * @returns bytes
 * @throws DataError
 */
export async function writePieces(
  context: ToolContext,
  pieces: AsyncIterable<Piece>,
  target: { readonly path: string; readonly append: boolean; readonly sync: boolean } | undefined,
): Promise<number> {
  const fd = target === undefined ? 0 : await open(context, target.path, { write: true, append: target.append })
  let done = 0
  for await (const { value, text } of pieces) {
    if (target === undefined) {
      done += value
      continue
    }
    // What a call leaves over is written by the next one. @kernel coreutils full_write()
    for (let left = value; left > 0;) {
      const what = text.length === value ? { text: text.slice(value - left) } : { length: left }
      const written = (await call(context, target.path, { op: 'write', fd, ...what })).value
      if (written === 0) break
      left -= written
      done += written
    }
  }
  if (target === undefined) return done
  if (target.sync) await call(context, target.path, { op: 'fsync', fd })
  await call(context, target.path, { op: 'close', fd })
  return done
}

/**
 * A file of data as text: bytes that the machine does not keep are NULs.
 *
 * @returns undefined when there are more than KEPT_BYTES
 * @throws DataError
 */
export async function dataText(context: ToolContext, path: string, bytes = Infinity): Promise<string | undefined> {
  let [all, length] = ['', 0]
  for await (const { value, text } of readPieces(context, path, { bytes, skip: 0 })) {
    length += value
    if (length <= KEPT_BYTES) all += text.padEnd(value, '\0')
  }
  return length > KEPT_BYTES ? undefined : all
}
