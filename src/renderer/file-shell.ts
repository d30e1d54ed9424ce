/**
 * Where files go: the desktop shell when there is one, otherwise the browser (file picker where the browser has one,
 * download and upload where not; recent files and autosave in local storage). Same five functions either way.
 */
import type { FileKind, OpenedFile, RecentFile, SavedFile, ShellApi } from '../protocol/shell-api'
import type { Result } from '../util/result'
import { ok, userError } from '../util/result'
import { readText, removeText, writeText } from './stores/preferences'

export type FileShell = Omit<ShellApi, 'connectEngine'>

const AUTOSAVE = 'autosave'
const RECENT = 'recent'
const TEXT_OF = 'file.'
const RECENT_MAX = 10
const ENDING: Readonly<Record<FileKind, string>> = { machine: '.json', session: '.pagewalk.json', export: '.txt' }

/** Chromium's file picker; absent elsewhere and from TypeScript's DOM library. */
interface Pickers {
  showOpenFilePicker?(options: object): Promise<FileSystemFileHandle[]>
  showSaveFilePicker?(options: object): Promise<FileSystemFileHandle>
}
const pickers = (): Pickers => globalThis as Pickers

/** Files picked in this page, by the path that we made up for them: saving again needs no dialog. */
const handles = new Map<string, FileSystemFileHandle>()

const isAbort = (reason: unknown): boolean => reason instanceof DOMException && reason.name === 'AbortError'
const failure = (where: string, reason: unknown): Result<never> =>
  userError('file/failed', where, reason instanceof Error ? reason.message : String(reason), 'Choose another place.')

/** Asks for files with an input element: every browser has it. Nothing chosen is an empty list. */
export function pickFiles(options: { accept: string; folder: boolean; multiple: boolean }): Promise<readonly File[]> {
  return new Promise((done) => {
    const input = document.createElement('input')
    input.type = 'file'
    input.accept = options.accept
    input.multiple = options.multiple
    input.webkitdirectory = options.folder
    input.addEventListener('change', () => done(Array.from(input.files ?? [])))
    input.addEventListener('cancel', () => done([]))
    input.click()
  })
}

/** Hands a file to the person: the browser's download. */
export function download(name: string, content: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

function readRecent(): RecentFile[] {
  try {
    const list: unknown = JSON.parse(readText(RECENT) ?? '[]')
    return Array.isArray(list) ? (list as RecentFile[]) : []
  } catch {
    return []
  }
}

/** The text is kept beside the entry: a web page cannot read a path again. What does not fit is not listed. */
function remember(kind: FileKind, file: OpenedFile): void {
  if (kind === 'export' || !writeText(TEXT_OF + file.path, file.text)) return
  const entry: RecentFile = { path: file.path, name: file.name, kind, wallMs: Date.now() }
  const all = [entry, ...readRecent().filter((other) => other.path !== file.path)]
  for (const dropped of all.slice(RECENT_MAX)) removeText(TEXT_OF + dropped.path)
  writeText(RECENT, JSON.stringify(all.slice(0, RECENT_MAX)))
}

async function openByDialog(kind: FileKind): Promise<Result<OpenedFile | undefined>> {
  const picker = pickers().showOpenFilePicker
  if (picker === undefined) {
    const [file] = await pickFiles({ accept: '.json', folder: false, multiple: false })
    return ok(file && { path: `web:${file.name}`, name: file.name, text: await file.text() })
  }
  try {
    const [handle] = await picker({ types: [{ description: kind, accept: { 'application/json': ['.json'] } }] })
    if (handle === undefined) return ok(undefined)
    const path = `web:${handle.name}`
    handles.set(path, handle)
    return ok({ path, name: handle.name, text: await (await handle.getFile()).text() })
  } catch (reason) {
    return isAbort(reason) ? ok(undefined) : failure('open', reason)
  }
}

async function saveByDialog(kind: FileKind, text: string, name: string): Promise<Result<SavedFile | undefined>> {
  // An export is made once and not written again: the browser's download is enough.
  const picker = kind === 'export' ? undefined : pickers().showSaveFilePicker
  if (picker === undefined) {
    download(name, new Blob([text], { type: 'text/plain' }))
    return ok({ path: `web:${name}`, name })
  }
  try {
    const handle = await picker({ suggestedName: name })
    const writable = await handle.createWritable()
    await writable.write(text)
    await writable.close()
    const path = `web:${handle.name}`
    handles.set(path, handle)
    return ok({ path, name: handle.name })
  } catch (reason) {
    return isAbort(reason) ? ok(undefined) : failure(`save ${kind}`, reason)
  }
}

async function saveToHandle(path: string, handle: FileSystemFileHandle, text: string): Promise<Result<SavedFile>> {
  try {
    const writable = await handle.createWritable()
    await writable.write(text)
    await writable.close()
    return ok({ path, name: handle.name })
  } catch (reason) {
    return failure(handle.name, reason)
  }
}

export const webShell: FileShell = {
  async openFile(kind, path) {
    const kept = kind === 'autosave' ? readText(AUTOSAVE) : path === undefined ? undefined : readText(TEXT_OF + path)
    if (kept !== undefined)
      return ok({ path: path ?? AUTOSAVE, name: (path ?? AUTOSAVE).replace('web:', ''), text: kept })
    if (kind === 'autosave') return ok(undefined)
    if (path !== undefined)
      return userError('file/gone', path, 'the browser no longer keeps this file.', 'Open it again.')
    const opened = await openByDialog(kind)
    if (opened.ok && opened.value) remember(kind, opened.value)
    return opened
  },
  async saveFile(kind, text, options = {}) {
    const handle = options.path === undefined ? undefined : handles.get(options.path)
    const saved =
      handle && options.path !== undefined
        ? await saveToHandle(options.path, handle, text)
        : await saveByDialog(kind, text, options.name ?? `pagewalk${ENDING[kind]}`)
    if (saved.ok && saved.value) remember(kind, { ...saved.value, text })
    return saved
  },
  recent: () => Promise.resolve(readRecent()),
  autosave(text) {
    if (text === '') removeText(AUTOSAVE)
    else if (!writeText(AUTOSAVE, text)) {
      return Promise.resolve(
        userError('file/autosave', 'autosave', 'the browser refuses to keep it.', 'Save the session to a file.'),
      )
    }
    return Promise.resolve(ok(undefined))
  },
}

/** The desktop's shell, or the browser's. */
export const fileShell = (): FileShell => globalThis.pagewalk ?? webShell
