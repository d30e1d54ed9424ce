/** The files of a capture by the names that they have in the different kinds of captures. */
import { err, ok, userError, type Result } from '../../util/result'

export type CaptureFiles = Readonly<Record<string, string>>

/** Where one and the same file of the kernel lies: a tar of the capture script, or a snapshot folder of a case. */
const PLACES = ['base/', 'start/', '0-start/', 'before/', 'proc/', '']

/** Without "./", and without the one folder that a tar often wraps around everything. */
export function normalise(files: CaptureFiles): CaptureFiles {
  const entries = Object.entries(files).map(([path, text]) => [path.replace(/^\.?\/+/, ''), text] as const)
  const tops = new Set(entries.map(([path]) => path.split('/')[0]!))
  const [top] = tops
  const wrapped = tops.size === 1 && top !== undefined && !['proc', 'sys', 'base', 'before'].includes(top)
  const nested = entries.every(([path]) => path.includes('/'))
  return Object.fromEntries(
    entries.map(([path, text]) => [wrapped && nested ? path.slice(top!.length + 1) : path, text]),
  )
}

export interface FoundFile {
  readonly path: string
  readonly text: string
}

/** A file of /proc by its name, wherever this capture keeps it. */
export function findProc(files: CaptureFiles, name: string): FoundFile | undefined {
  for (const place of PLACES) {
    const text = files[place + name]
    if (text !== undefined) return { path: place + name, text }
  }
  return undefined
}

/** The same, but its absence or emptiness is an error that names it. */
export function needProc(files: CaptureFiles, name: string, capture: string): Result<FoundFile> {
  const found = findProc(files, name)
  if (!found) {
    return userError(
      'import/missing-file',
      capture,
      `The capture has no proc/${name}.`,
      'Take it with the capture script, or give a folder with the files of /proc in it.',
    )
  }
  if (found.text.trim() === '') {
    return userError(
      'import/empty-file',
      `${capture}: ${found.path}`,
      'The file is empty.',
      'Take the capture again, as root.',
    )
  }
  return ok(found)
}

export const firstOf = (files: CaptureFiles, paths: readonly string[]): string | undefined => {
  for (const path of paths) if (files[path] !== undefined) return files[path]
  return undefined
}

/** JSON that the harness of a case wrote; a fault names the file. */
export function readJson(
  files: CaptureFiles,
  path: string,
  capture: string,
): Result<Record<string, unknown> | undefined> {
  const text = files[path]
  if (text === undefined) return ok(undefined)
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return ok(value as Record<string, unknown>)
  } catch {
    // Falls through: one message for both.
  }
  return err({
    code: 'import/json',
    where: `${capture}: ${path}`,
    message: 'The file is not a JSON object.',
    fix: 'Take the capture again.',
  })
}
