/**
 * The files that people keep: dialogs, recent files, autosave. The page may name only paths that a person has chosen in
 * a dialog (in this run or, as a recent file, an earlier one); everything is written beside, flushed, and renamed.
 */
import { app, BrowserWindow, dialog, ipcMain } from 'electron'
import type { IpcMainInvokeEvent } from 'electron'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { FileKind, OpenedFile, RecentFile, SavedFile, SaveOptions } from '../protocol/shell-api'
import { err, ok } from '../util/result'
import type { Result } from '../util/result'
import { isOurPage } from './window'

const KINDS: Record<FileKind, { readonly title: string; readonly name: string; readonly extensions: string[] }> = {
  machine: { title: 'machine', name: 'my-machine.json', extensions: ['json'] },
  session: { title: 'session', name: 'session.pagewalk.json', extensions: ['json'] },
  export: { title: 'export', name: 'pagewalk.txt', extensions: ['*'] },
}
const RECENT_MAX = 10
const SIZE_MAX_MIB = 256

const inUserData = (name: string): string => join(app.getPath('userData'), name)
const autosavePath = (): string => inUserData('autosave.pagewalk.json')
const recentPath = (): string => inUserData('recent.json')

/** Paths that a person chose: the only ones that the page may name. */
const chosen = new Set<string>()

let lastWrite: Promise<unknown> = Promise.resolve()

/**
 * Writes beside, flushes to the disk, renames: whoever reads `path`, at whatever moment, finds a whole file. One write
 * after the other, so that two of one file never meet in the file beside it.
 */
function writeAtomically(path: string, text: string): Promise<void> {
  const mine = lastWrite.then(async () => {
    const beside = `${path}.part`
    await mkdir(dirname(path), { recursive: true })
    try {
      await writeFile(beside, String(text), { flush: true })
      await rename(beside, path)
    } catch (error) {
      await rm(beside, { force: true })
      throw error
    }
  })
  lastWrite = mine.catch(() => undefined)
  return mine
}

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ['there is no such file or folder.', 'Was it moved? Choose it again.'],
  EACCES: ['this user may not touch it.', 'Choose another place, or change its permissions.'],
  EISDIR: ['this is a folder.', 'Choose a file.'],
  ENOSPC: ['the disk is full.', 'Make room or choose another disk.'],
}

function failure(path: string, error: unknown): Result<never> {
  const code = (error as NodeJS.ErrnoException).code ?? 'EIO'
  const [message, fix] = REASONS[code] ?? [`the system says ${code}.`, 'Choose another place.']
  return err({ code: `file/${code}`, where: basename(path), message, fix })
}

const refused = (path: string): Result<never> =>
  err({
    code: 'file/not-chosen',
    where: basename(path),
    message: 'nobody chose this file.',
    fix: 'Open it from the menu.',
  })

async function readRecent(): Promise<readonly RecentFile[]> {
  const text = await readFile(recentPath(), 'utf8').catch(() => '[]')
  let rows: unknown
  try {
    rows = JSON.parse(text)
  } catch {
    return [] // a convenience, not a document: a broken list is an empty one
  }
  const isRow = (row: Partial<RecentFile> | null): row is RecentFile =>
    typeof row?.path === 'string' && typeof row.kind === 'string' && row.kind in KINDS && typeof row.wallMs === 'number'
  const known = Array.isArray(rows) ? rows.filter(isRow).map((row) => ({ ...row, name: basename(row.path) })) : []
  const exists = await Promise.all(
    known.map((row) =>
      stat(row.path).then(
        (found) => found.isFile(),
        () => false,
      ),
    ),
  )
  return known.filter((_row, index) => exists[index])
}

/** Notes a file that a person chose, newest first. */
async function remember(kind: FileKind, path: string): Promise<void> {
  chosen.add(path)
  if (kind === 'export') return
  const others = (await readRecent()).filter((row) => row.path !== path)
  const rows = [{ path, name: basename(path), kind, wallMs: Date.now() }, ...others].slice(0, RECENT_MAX)
  await writeAtomically(recentPath(), JSON.stringify(rows, undefined, 2)).catch(() => undefined)
}

async function readText(path: string): Promise<Result<OpenedFile>> {
  try {
    const { size } = await stat(path)
    if (size > SIZE_MAX_MIB * 1024 * 1024) {
      const message = `the file has ${Math.round(size / 1024 / 1024)} MiB.`
      return err({
        code: 'file/too-big',
        where: basename(path),
        message,
        fix: `At most ${SIZE_MAX_MIB} MiB can be opened.`,
      })
    }
    return ok({ path, name: basename(path), text: await readFile(path, 'utf8') })
  } catch (error) {
    return failure(path, error)
  }
}

function checkKind(kind: string): void {
  if (kind !== 'autosave' && !Object.hasOwn(KINDS, kind)) throw new Error(`no kind of file is called ${kind}`)
}

const windowOf = (event: IpcMainInvokeEvent): BrowserWindow => BrowserWindow.fromWebContents(event.sender)!

type Opening = Promise<Result<OpenedFile | undefined>>

async function openFile(event: IpcMainInvokeEvent, kind: FileKind | 'autosave', path?: string): Opening {
  checkKind(kind)
  if (kind === 'autosave') {
    const found = await readText(autosavePath())
    return !found.ok && found.error.code === 'file/ENOENT' ? ok(undefined) : found
  }
  if (path !== undefined && !chosen.has(path) && !(await readRecent()).some((row) => row.path === path))
    return refused(path)
  const picked = path ?? (await askWhatToOpen(event, kind))
  if (picked === undefined) return ok(undefined)
  const file = await readText(picked)
  if (file.ok) await remember(kind, picked)
  return file
}

async function askWhatToOpen(event: IpcMainInvokeEvent, kind: FileKind): Promise<string | undefined> {
  const { title, extensions } = KINDS[kind]
  const answer = await dialog.showOpenDialog(windowOf(event), {
    title: `Open a ${title}`,
    properties: ['openFile'],
    filters: [
      { name: `Pagewalk ${title}`, extensions },
      { name: 'All files', extensions: ['*'] },
    ],
  })
  return answer.canceled ? undefined : answer.filePaths[0]
}

type Saving = Promise<Result<SavedFile | undefined>>

async function saveFile(event: IpcMainInvokeEvent, kind: FileKind, text: string, options: SaveOptions = {}): Saving {
  checkKind(kind)
  if (options.path !== undefined && !chosen.has(options.path)) return refused(options.path)
  const path = options.path ?? (await askWhereToSave(event, kind, options.name))
  if (path === undefined) return ok(undefined)
  try {
    await writeAtomically(path, text)
  } catch (error) {
    return failure(path, error)
  }
  await remember(kind, path)
  return ok({ path, name: basename(path) })
}

async function askWhereToSave(event: IpcMainInvokeEvent, kind: FileKind, name?: string): Promise<string | undefined> {
  const { title, extensions, name: usual } = KINDS[kind]
  const answer = await dialog.showSaveDialog(windowOf(event), {
    title: `Save the ${title}`,
    defaultPath: basename(name ?? usual),
    filters: [{ name: `Pagewalk ${title}`, extensions }],
  })
  return answer.canceled || !answer.filePath ? undefined : answer.filePath
}

async function autosave(text: string): Promise<Result<undefined>> {
  try {
    if (text === '') await rm(autosavePath(), { force: true })
    else await writeAtomically(autosavePath(), text)
    return ok(undefined)
  } catch (error) {
    return failure(autosavePath(), error)
  }
}

/** Answers the page's file requests; refuses every other sender, unknown kinds, and texts that are none. */
export function serveFiles(): void {
  const handle = (channel: string, answer: (event: IpcMainInvokeEvent, ...args: never[]) => unknown): void =>
    ipcMain.handle(channel, (event, ...args) => {
      if (!isOurPage(event)) throw new Error(`${channel}: only our page may ask`)
      return answer(event, ...(args as never[]))
    })
  handle('files:open', openFile)
  handle('files:save', saveFile)
  handle('files:recent', readRecent)
  handle('files:autosave', (_event, text: string) => autosave(text))
}
