// An emulation of the part of Electron's main-process API that src/main uses, and of no more: whatever else is touched
// throws with its name. What it cannot show: the real sandbox, menus, dialogs, GPU, packaging. Real Electron is preferred
// wherever its runtime is (see ../launch.ts).
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from '@playwright/test'
import { chromiumLaunchOptions } from '../../scripts/browser.mjs'
import { contentTypeOf } from '../../scripts/serve.mjs'
import { MessageChannelMain } from './ports.mjs'
import { UtilityProcess, utilityProcesses } from './utility.mjs'
import { browserWindowClass } from './window.mjs'

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const userDataSwitch = process.argv.find((arg) => arg.startsWith('--user-data-dir='))
let browser
let isReady = false

/** Only what is listed exists. */
const only = (name, api) =>
  new Proxy(api, {
    get(target, key) {
      if (key in target || typeof key === 'symbol' || key === 'then') {
        return typeof target[key] === 'function' ? target[key].bind(target) : target[key]
      }
      throw new Error(`harness: ${name}.${key} is not emulated: add it to e2e/harness if src/main needs it`)
    },
  })
const afterReady = (name) => {
  if (!isReady) throw new Error(`${name} can only be used after app is ready`)
}
const beforeReady = (name) => {
  if (isReady) throw new Error(`${name} should be called before app is ready`)
}

class App extends EventEmitter {
  isPackaged = false
  #isQuitting = false
  isReady = () => isReady
  whenReady = () => (isReady ? Promise.resolve() : new Promise((done) => this.once('ready', () => done())))
  getName = () => manifest.productName
  getVersion = () => manifest.version
  requestSingleInstanceLock = () => true
  enableSandbox = () => beforeReady('app.enableSandbox')
  getPath(name) {
    if (name !== 'userData') throw new Error(`harness: the path ${name} is not emulated`)
    return userDataSwitch?.slice('--user-data-dir='.length) ?? join(tmpdir(), manifest.name)
  }
  getAppMetrics = () => [...utilityProcesses].map(({ pid, name }) => ({ pid, name, type: 'Utility' }))
  quit() {
    if (this.#isQuitting) return
    this.#isQuitting = true
    let isPrevented = false
    this.emit('before-quit', { preventDefault: () => (isPrevented = true) })
    if (isPrevented) return void (this.#isQuitting = false)
    for (const window of BrowserWindow.getAllWindows()) window.close()
    this.emit('will-quit', { preventDefault: () => undefined })
    this.exit(0)
  }
  exit(code) {
    this.emit('quit', {}, code)
    for (const child of utilityProcesses) child.kill()
    void Promise.resolve(browser?.close()).finally(() => process.exit(code))
  }
}
const appTarget = new App()
export const app = only('app', appTarget)

class IpcMain extends EventEmitter {
  #handlers = new Map()
  handle(channel, handler) {
    if (this.#handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    this.#handlers.set(channel, handler)
  }
  call(channel, event, args) {
    const handler = this.#handlers.get(channel)
    if (!handler) throw new Error(`No handler registered for '${channel}'`)
    return handler(event, ...args)
  }
}
const ipcMainTarget = new IpcMain()
export const ipcMain = only('ipcMain', ipcMainTarget)

const schemeHandlers = new Map()
export const protocol = only('protocol', {
  registerSchemesAsPrivileged: () => beforeReady('protocol.registerSchemesAsPrivileged'),
  handle(scheme, handler) {
    afterReady('protocol.handle')
    schemeHandlers.set(scheme, handler)
  },
})

let isGranted = () => true
const defaultSession = only('session.defaultSession', {
  setPermissionRequestHandler: () => undefined,
  setPermissionCheckHandler: (check) => (isGranted = check),
})
export const session = only('session', {
  get defaultSession() {
    afterReady('session.defaultSession')
    return defaultSession
  },
})

export const net = only('net', {
  async fetch(url) {
    const path = fileURLToPath(url)
    return new Response(await readFile(path), { headers: { 'content-type': contentTypeOf(path) } })
  },
})

export const utilityProcess = only('utilityProcess', {
  fork(path, args = [], options = {}) {
    afterReady('utilityProcess.fork')
    return new UtilityProcess(path, args, options)
  },
})

const asksNobody = (name) => () => Promise.reject(new Error(`harness: ${name} opened and no test answers it`))
export const dialog = { showOpenDialog: asksNobody('an open dialog'), showSaveDialog: asksNobody('a save dialog') }
export const shell = only('shell', { openExternal: () => Promise.resolve() })

let menu = null
const menuOf = (template) => ({
  items: template.map((item) => ({ ...item, submenu: Array.isArray(item.submenu) ? menuOf(item.submenu) : undefined })),
})
export const Menu = only('Menu', {
  buildFromTemplate: menuOf,
  setApplicationMenu: (built) => (menu = built),
  getApplicationMenu: () => menu,
})

const PERMISSIONS = {
  'clipboard-read': 'clipboard-read',
  'clipboard-sanitized-write': 'clipboard-write',
  geolocation: 'geolocation',
  notifications: 'notifications',
}
export const BrowserWindow = browserWindowClass({
  app: appTarget,
  ipcMain: ipcMainTarget,
  getBrowser: () => browser,
  respond: (request) => schemeHandlers.get('app')(request),
  permissions: () =>
    Object.keys(PERMISSIONS)
      .filter((name) => isGranted(null, name))
      .map((name) => PERMISSIONS[name]),
})
export { MessageChannelMain }

/** Called by run.mjs before main is loaded. */
export async function openBrowser(debuggingPort) {
  const options = await chromiumLaunchOptions()
  browser = await chromium.launch({ ...options, args: [...options.args, `--remote-debugging-port=${debuggingPort}`] })
}

/** Called by run.mjs when main's module, its top-level awaits included, is evaluated: Electron is ready only then. */
export function becomeReady() {
  isReady = true
  appTarget.emit('ready')
}
