/** Folders and archives on this computer → the texts that src/profiles imports. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { importCapture, readTar, type MachineProfile } from '../profiles'
import { ok, userError, type Result } from '../util/result'

/** Larger files are no pseudo-files of a kernel. */
const FILE_MAX = 64 * 1024 * 1024

/** Every file below a folder by its path in it; *.gz unpacked, under its name without the ending. */
export function readFolder(folder: string): Record<string, string> {
  const files: Record<string, string> = {}
  const walk = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (entry.isFile() && statSync(path).size <= FILE_MAX) {
        const bytes = readFileSync(path)
        if (entry.name.endsWith('.gz')) files[relative(folder, path).slice(0, -3)] = gunzipSync(bytes).toString()
        else files[relative(folder, path)] = bytes.toString()
      }
    }
  }
  walk(folder)
  return files
}

/** A capture folder or archive → a machine. */
export function importPath(path: string): Result<MachineProfile> {
  if (!existsSync(path))
    return userError('cli/not-found', path, 'There is no such file or folder.', 'Give a capture folder or a tar.')
  if (statSync(path).isDirectory()) return importCapture(readFolder(path), basename(join(path, '.')))
  const packed = readFileSync(path)
  const isGzip = packed[0] === 0x1f && packed[1] === 0x8b
  const files = readTar(new Uint8Array(isGzip ? gunzipSync(packed) : packed), path)
  return files.ok ? importCapture(files.value, basename(path)) : files
}

/** A text file; a folder or an absent file is a person's mistake, said in one line. */
export function readText(path: string, noun: string): Result<string> {
  if (!existsSync(path)) return userError('cli/not-found', path, `There is no such ${noun}.`, 'Check the path.')
  if (statSync(path).isDirectory())
    return userError('cli/is-a-folder', path, `This is a folder, not a ${noun}.`, 'Name a file in it.')
  return ok(readFileSync(path, 'utf8'))
}

export function writeText(path: string, text: string): Result<true> {
  try {
    writeFileSync(path, text)
    return ok(true)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return userError(
      'cli/write',
      path,
      `The file cannot be written: ${why}.`,
      'Give a path in a folder that exists and may be written.',
    )
  }
}
