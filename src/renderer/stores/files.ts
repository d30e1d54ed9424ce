/** Files that people keep: sessions and machine profiles, what was open lately, and the autosave. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { readTar } from '../../profiles'
import type { RecentFile, SavedFile } from '../../protocol/shell-api'
import type { Result } from '../../util/result'
import { formatUserError } from '../../util/result'
import { fileShell, pickFiles } from '../file-shell'
import { gunzip } from '../gunzip'
import { useSession } from './session'
import { useUi } from './ui'

const AUTOSAVE_EVERY_MS = 30_000

export const useFiles = defineStore('files', () => {
  const session = useSession()
  const ui = useUi()
  const shell = fileShell()
  const recent = shallowRef<readonly RecentFile[]>([])
  const autosaved = shallowRef<{ text: string; summary: string } | undefined>()
  /** Where the session was opened from or saved to. */
  const sessionFile = shallowRef<SavedFile | undefined>()
  const savedAtMs = ref(0)
  /** A profile on its way to the editor: what an import or "Edit first" hands to the Machine view. */
  const draftProfile = shallowRef<{ name: string; text: string } | undefined>()

  function take<T>(result: Result<T>): T | undefined {
    if (result.ok) return result.value
    session.trouble = formatUserError(result.error)
    return undefined
  }

  async function refreshRecent(): Promise<void> {
    recent.value = await shell.recent()
  }

  async function openSession(path?: string): Promise<boolean> {
    const file = take(await shell.openFile('session', path))
    if (!file) return false
    const loaded = await session.move({ kind: 'loadSession', text: file.text, fileName: file.name })
    if (loaded) sessionFile.value = { path: file.path, name: file.name }
    await refreshRecent()
    return loaded
  }

  async function saveSession(mode: 'again' | 'as' = 'again'): Promise<boolean> {
    const text = take(await session.ask({ kind: 'saveSession' }))
    if (text === undefined) return false
    const name = sessionFile.value?.name ?? `${session.status?.machine ?? 'session'}.pagewalk.json`
    const path = mode === 'again' ? sessionFile.value?.path : undefined
    const saved = take(await shell.saveFile('session', text, path === undefined ? { name } : { name, path }))
    if (!saved) return false
    sessionFile.value = saved
    savedAtMs.value = Date.now()
    session.keptNs = session.status?.endNs ?? 0
    ui.say(`Saved ${saved.name}`)
    await refreshRecent()
    return true
  }

  /** A machine profile from a file: its text goes to the editor, which shows what it would boot. */
  async function openProfile(path?: string): Promise<boolean> {
    const file = take(await shell.openFile('machine', path))
    if (!file) return false
    draftProfile.value = { name: file.name, text: file.text }
    await refreshRecent()
    return true
  }

  async function saveProfile(text: string, name: string): Promise<boolean> {
    const saved = take(await shell.saveFile('machine', text, { name }))
    if (!saved) return false
    ui.say(`Saved ${saved.name}`)
    await refreshRecent()
    return true
  }

  async function saveExport(text: string, name: string): Promise<void> {
    const saved = take(await shell.saveFile('export', text, { name }))
    if (saved) ui.say(`Exported ${saved.name}`)
  }

  /** A captured machine: a folder of files, or one archive. */
  async function importFiles(files: readonly File[]): Promise<boolean> {
    if (files.length === 0) return false
    const first = files[0]!
    const name = (first.webkitRelativePath.split('/')[0] || first.name).replace(/\.(tar|tgz|tar\.gz)$/, '')
    let texts: Record<string, string> = {}
    if (files.length === 1 && /\.(tar|tgz|gz)$/.test(first.name)) {
      const read = take(readTar(await gunzip(new Uint8Array(await first.arrayBuffer())), first.name))
      if (!read) return false
      texts = read
    } else {
      for (const file of files) texts[file.webkitRelativePath.replace(/^[^/]*\//, '') || file.name] = await file.text()
    }
    const profile = take(await session.ask({ kind: 'importCapture', files: texts, name }))
    if (profile === undefined) return false
    draftProfile.value = { name, text: profile }
    return true
  }

  const importArchive = async (): Promise<boolean> =>
    importFiles(await pickFiles({ accept: '.tar,.tgz,.gz,.txt', folder: false, multiple: true }))
  const importFolder = async (): Promise<boolean> =>
    importFiles(await pickFiles({ accept: '', folder: true, multiple: true }))

  async function autosave(): Promise<void> {
    if (!session.hasMachine) return
    const text = await session.ask({ kind: 'saveSession' })
    if (text.ok) await shell.autosave(text.value)
  }

  async function findAutosave(): Promise<void> {
    const file = await shell.openFile('autosave')
    if (file.ok && file.value) autosaved.value = { text: file.value.text, summary: 'session of the last time' }
  }

  async function restoreAutosave(): Promise<boolean> {
    const kept = autosaved.value
    return kept !== undefined && session.move({ kind: 'loadSession', text: kept.text, fileName: 'autosave' })
  }

  /** Keeps the session every half minute while a machine is there. @returns stops it */
  function startAutosave(): () => void {
    const timer = setInterval(() => void autosave(), AUTOSAVE_EVERY_MS)
    return () => clearInterval(timer)
  }

  return {
    recent,
    autosaved,
    sessionFile,
    savedAtMs,
    draftProfile,
    refreshRecent,
    openSession,
    saveSession,
    openProfile,
    saveProfile,
    saveExport,
    importFiles,
    importArchive,
    importFolder,
    autosave,
    findAutosave,
    restoreAutosave,
    startAutosave,
  }
})
