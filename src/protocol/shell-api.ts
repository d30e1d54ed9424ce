/**
 * What the desktop shell offers to the page, types only: `window.pagewalk` is a ShellApi, and the shell talks back with
 * `window.postMessage` (no callbacks cross the bridge). In the web edition `window.pagewalk` is absent and the page does
 * the same with downloads, uploads and local storage.
 */
import type { Result } from '../util/result'

/** What a file holds decides the dialog's title, its filter and the proposed ending. */
export type FileKind = 'machine' | 'session' | 'export'

export interface OpenedFile {
  /** Absolute; to be handed back to `saveFile`, never shown without need. */
  readonly path: string
  /** The last part of the path: for titles and messages. */
  readonly name: string
  readonly text: string
}

export interface SavedFile {
  readonly path: string
  readonly name: string
}

export interface RecentFile {
  readonly path: string
  readonly name: string
  readonly kind: FileKind
  /** When it was last opened or saved, milliseconds since 1970. */
  readonly wallMs: number
}

export interface SaveOptions {
  /** The file that was opened or saved before: written again without a dialog. */
  readonly path?: string
  /** Name proposed by the dialog. */
  readonly name?: string
}

export interface ShellApi {
  /**
   * Asks for a file, or reads `path` when it is one of `recent()`. `'autosave'` reads what `autosave()` wrote last, in
   * this run or the one before. A closed dialog, or no autosave yet, is `undefined` and no error.
   */
  openFile(kind: FileKind | 'autosave', path?: string): Promise<Result<OpenedFile | undefined>>
  /** Written beside, flushed and renamed: the old file is whole until the new one is. A closed dialog is `undefined`. */
  saveFile(kind: FileKind, text: string, options?: SaveOptions): Promise<Result<SavedFile | undefined>>
  /** Newest first, at most ten, only those that still exist. */
  recent(): Promise<readonly RecentFile[]>
  /** Keeps the session where a crash cannot lose it; an empty text forgets it. */
  autosave(text: string): Promise<Result<undefined>>
  /** Asks for a port to the engine: it arrives as a ShellMessage. Call it once the page listens for messages. */
  connectEngine(): void
}

export type MenuAction = 'new' | 'open' | 'save' | 'saveAs' | 'import' | 'palette' | 'shortcuts' | 'fidelity'

/** `event.data` of the window's `message` events that come from the shell. */
export type ShellMessage =
  /** `event.ports[0]` speaks the protocol. `restarted`: the engine's process died; the page loads its session again. */
  | { readonly kind: 'pagewalk:port'; readonly restarted: boolean }
  /** The engine's process died again and again and is not started any more. */
  | { readonly kind: 'pagewalk:engine-lost'; readonly message: string }
  | { readonly kind: 'pagewalk:menu'; readonly action: MenuAction }

/** What main sends to the engine's process, with one port: serve the window at the other end. */
export interface ConnectMessage {
  readonly kind: 'connect'
}

declare global {
  /** Present only in the desktop edition. */
  var pagewalk: ShellApi | undefined
}
