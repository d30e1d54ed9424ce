/**
 * The window and its walls: one page from our own scheme, no way out of it but https links in the system's browser.
 * Every message from the page is checked with `isOurPage` before anybody reads it.
 */
import { app, BrowserWindow, net, protocol, session, shell } from 'electron'
import type { IpcMainEvent, IpcMainInvokeEvent } from 'electron'
import { join, normalize, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import policy from '../../resources/content-security-policy.txt?raw'

const ORIGIN = 'app://pagewalk'
const PAGE = `${ORIGIN}/index.html`

/** Before the app is ready: our scheme is a secure one with an origin of its own. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true } }])
}

const HEADERS = {
  'content-security-policy': policy.trim().split('\n').join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

/** Serves `app://pagewalk/…` from the built page, and nothing beside it; refuses every permission. */
export function servePage(): void {
  const root = join(import.meta.dirname, '../renderer')
  protocol.handle('app', async (request) => {
    const url = new URL(request.url)
    const file = normalize(join(root, decodeURIComponent(url.pathname)))
    if (url.host !== 'pagewalk' || !file.startsWith(root + sep)) return new Response('Not here.', { status: 404 })
    const found = await net.fetch(pathToFileURL(file).href).catch(() => undefined)
    if (!found?.ok) return new Response('Not here.', { status: 404, headers: HEADERS })
    const contentType = found.headers.get('content-type') ?? 'application/octet-stream'
    return new Response(found.body, { headers: { ...HEADERS, 'content-type': contentType } })
  })
  session.defaultSession.setPermissionRequestHandler((_contents, permission, answer) => answer(isHarmless(permission)))
  session.defaultSession.setPermissionCheckHandler((_contents, permission) => isHarmless(permission))
}

/** Copying from the terminal and pasting into it; nothing else needs asking for. */
const isHarmless = (permission: string): boolean => ['clipboard-sanitized-write', 'clipboard-read'].includes(permission)

/** Only the top frame of our own page may talk to us. */
export function isOurPage(event: IpcMainEvent | IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame
  return frame !== null && frame.parent === null && frame.url.startsWith(`${ORIGIN}/`)
}

/** Opens a link in the system's browser if it is https; everything else goes nowhere. */
function openOutside(target: string): void {
  if (!URL.canParse(target)) return
  const url = new URL(target)
  if (url.protocol === 'https:') void shell.openExternal(url.href)
}

function lockDown(window: BrowserWindow): void {
  const contents = window.webContents
  contents.setWindowOpenHandler(({ url }) => {
    openOutside(url)
    return { action: 'deny' }
  })
  contents.on('will-navigate', (event) => {
    event.preventDefault()
    openOutside(event.url)
  })
  contents.on('will-attach-webview', (event) => event.preventDefault())
}

export function createWindow(): void {
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    minWidth: 960,
    minHeight: 600,
    show: false,
    title: app.getName(),
    icon: join(import.meta.dirname, '../renderer/icon.png'),
    backgroundColor: '#14171a',
    webPreferences: {
      preload: join(import.meta.dirname, '../preload/preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
    },
  })
  lockDown(window)
  window.once('ready-to-show', () => window.show())
  void window.loadURL(PAGE)
}
