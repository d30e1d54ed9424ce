// BrowserWindow and webContents: one page of a headless Chromium, in a context of its own.
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { decode, encode } from './codec.mjs'
import { isolatedWorldSource, mainWorldSource } from './page.mjs'
import { Bridge, checkPorts, clone } from './ports.mjs'

const WORLD = 'preload'

/** `app://pagewalk/x` is `http://app.pagewalk.localhost/x` in this browser: also a secure context with its own origin. */
export const toBrowser = (url) => url.replace(/^app:\/\/([^/]+)/, 'http://app.$1.localhost')
export const fromBrowser = (url) => url.replace(/^http:\/\/app\.([^/]+)\.localhost/, 'app://$1')

/** A popup's first request has no frame yet, and Playwright throws. */
function isIn(request, page) {
  try {
    return request.frame().page() === page
  } catch {
    return false
  }
}

class WebContents extends EventEmitter {
  #ipcMain
  #page
  #cdp
  #world = 0
  #outbox = []
  #bridge = new Bridge((port) => this.#deliver({ kind: 'port', ...port }))
  windowOpenHandler = () => ({ action: 'allow' })

  constructor(ipcMain) {
    super()
    this.#ipcMain = ipcMain
  }

  setWindowOpenHandler(handler) {
    this.windowOpenHandler = handler
  }

  getURL() {
    return fromBrowser(this.#page.url())
  }

  postMessage(channel, message, transfer = []) {
    checkPorts(transfer)
    this.#deliver({
      kind: 'message',
      channel,
      message: clone(message),
      ports: transfer.map((port) => this.#bridge.attach(port)),
    })
  }

  #deliver(message) {
    const text = encode(message)
    if (this.#world === 0) this.#outbox.push(text)
    else this.#evaluate(text)
  }

  #evaluate(text) {
    const expression = `__harnessDeliver(${JSON.stringify(text)})`
    this.#cdp.send('Runtime.evaluate', { contextId: this.#world, expression }).catch(() => undefined) // the page has gone
  }

  /** Before the first navigation: both worlds get their scripts, and the preload's a way to call us. */
  async attach(page, preloadPath) {
    this.#page = page
    this.#cdp = await page.context().newCDPSession(page)
    await this.#cdp.send('Runtime.enable')
    await this.#cdp.send('Page.enable')
    this.#cdp.on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name !== WORLD) return
      this.#world = context.id
      for (const text of this.#outbox.splice(0)) this.#evaluate(text)
    })
    this.#cdp.on('Runtime.executionContextsCleared', () => {
      this.#world = 0
      this.#bridge.end()
    })
    this.#cdp.on('Runtime.bindingCalled', ({ payload }) => void this.#fromPage(decode(payload)))
    await this.#cdp.send('Runtime.addBinding', { name: '__harnessSend', executionContextName: WORLD })
    const preload = readFileSync(preloadPath, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '')
    await this.#cdp.send('Page.addScriptToEvaluateOnNewDocument', { source: mainWorldSource })
    await this.#cdp.send('Page.addScriptToEvaluateOnNewDocument', {
      source: isolatedWorldSource(preload),
      worldName: WORLD,
    })
  }

  async #fromPage(message) {
    if (message.kind === 'port') return this.#bridge.incoming(message)
    const event = { sender: this, senderFrame: { url: this.getURL(), parent: null }, ports: [] }
    if (message.kind === 'send') return this.#ipcMain.emit(message.channel, event, ...message.args)
    try {
      const value = clone(await this.#ipcMain.call(message.channel, event, message.args))
      this.#deliver({ kind: 'reply', id: message.id, value })
    } catch (error) {
      this.#deliver({
        kind: 'reply',
        id: message.id,
        error: `Error invoking remote method '${message.channel}': ${error}`,
      })
    }
  }

  ended() {
    this.#world = 0
    this.#bridge.end()
    this.emit('destroyed')
  }
}

/** @returns the class BrowserWindow over a browser, a scheme's handler and the rest of the emulated main process */
export function browserWindowClass({ app, ipcMain, getBrowser, respond, permissions }) {
  const windows = new Set()

  return class BrowserWindow extends EventEmitter {
    static getAllWindows = () => [...windows]
    static fromWebContents = (contents) => [...windows].find((window) => window.webContents === contents) ?? null
    #options
    #opened
    #page
    #expectedUrl = ''

    constructor(options) {
      super()
      if (!app.isReady()) throw new Error('Cannot create BrowserWindow before app is ready')
      const { sandbox, contextIsolation, nodeIntegration, preload } = options.webPreferences
      if (!sandbox || contextIsolation === false || nodeIntegration)
        throw new Error('harness: only sandboxed, isolated pages are emulated')
      if (preload.endsWith('.mjs')) throw new Error('a sandboxed preload cannot be an ES module')
      this.#options = options
      this.webContents = new WebContents(ipcMain)
      windows.add(this)
      this.#opened = this.#open(preload)
    }

    async #open(preload) {
      const { width, height } = this.#options
      const context = await getBrowser().newContext({ viewport: { width, height } })
      await context.grantPermissions(permissions())
      this.#page = await context.newPage()
      this.#page.on('close', () => this.#closed())
      await context.route('**/*', (route) => this.#route(route))
      await this.webContents.attach(this.#page, preload)
      context.on('page', (popup) => void popup.close().catch(() => undefined))
    }

    /** Every request of the page: ours are answered by the scheme's handler, the network is never reached. */
    async #route(route) {
      const request = route.request()
      const url = fromBrowser(request.url())
      // "No content" leaves the page where it is, as a prevented navigation does.
      if (this.#isNavigationAway(request)) return route.fulfill({ status: 204 })
      if (!url.startsWith('app:')) {
        console.error(`harness: the page asked the network for ${url}`)
        return route.abort('blockedbyclient')
      }
      const response = await respond(new Request(url))
      await route.fulfill({
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.from(await response.arrayBuffer()),
      })
    }

    /** A navigation that loadURL did not ask for: the events that lock-down code listens to. */
    #isNavigationAway(request) {
      if (!request.isNavigationRequest()) return false
      const url = fromBrowser(request.url())
      if (!isIn(request, this.#page)) {
        if (this.webContents.windowOpenHandler({ url }).action !== 'deny')
          throw new Error('harness: new windows are not emulated')
        return true
      }
      if (url === this.#expectedUrl) return false
      let isPrevented = false
      this.webContents.emit('will-navigate', { url, preventDefault: () => (isPrevented = true) })
      return isPrevented
    }

    async loadURL(url) {
      await this.#opened
      this.#expectedUrl = url
      await this.#page.goto(toBrowser(url), { waitUntil: 'load' })
      this.emit('ready-to-show')
      this.webContents.emit('did-finish-load')
    }

    show() {
      this.emit('show')
    }

    focus() {}

    close() {
      void this.#opened.then(() => this.#page.close())
    }

    #closed() {
      if (!windows.delete(this)) return
      this.webContents.ended()
      this.emit('closed')
      if (windows.size === 0 && !app.emit('window-all-closed')) app.quit()
    }
  }
}
