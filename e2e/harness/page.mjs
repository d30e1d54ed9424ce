// What runs in the page: the preload in an isolated world, and in the page's own world what contextBridge exposes there.
// The worlds share the document, so calls cross as events whose detail is text; ports cross by window.postMessage.
import { decode, encode } from './codec.mjs'

/** The preload's world. `require` knows what Electron's sandbox knows, and no more. */
function isolatedWorld(runPreload) {
  const listeners = new Map()
  const calls = new Map()
  const ports = new Map()
  let nextId = 1
  const send = (message) => globalThis.__harnessSend(encode(message))

  const portFor = (id) => {
    const { port1, port2 } = new MessageChannel()
    ports.set(id, port1)
    port1.onmessage = (event) => send({ kind: 'port', id, data: event.data })
    port1.addEventListener('close', () => ports.delete(id) && send({ kind: 'port', id, close: true }))
    return port2
  }
  const deliverToPort = ({ id, data, close }) => {
    if (!close) return ports.get(id)?.postMessage(data)
    ports.get(id)?.close()
    ports.delete(id)
  }
  const settle = ({ id, error, value }) => {
    const { resolve, reject } = calls.get(id)
    calls.delete(id)
    if (error === undefined) resolve(value)
    else reject(new Error(error))
  }
  globalThis.__harnessDeliver = (text) => {
    const message = decode(text)
    if (message.kind === 'port') deliverToPort(message)
    else if (message.kind === 'reply') settle(message)
    else for (const f of listeners.get(message.channel) ?? []) f({ ports: message.ports.map(portFor) }, message.message)
  }

  const ipcRenderer = {
    on: (channel, f) => void listeners.set(channel, [...(listeners.get(channel) ?? []), f]),
    send: (channel, ...args) => send({ kind: 'send', channel, args }),
    invoke: (channel, ...args) =>
      new Promise((resolve, reject) => {
        calls.set(nextId, { resolve, reject })
        send({ kind: 'invoke', id: nextId++, channel, args })
      }),
  }
  const contextBridge = {
    exposeInMainWorld(name, api) {
      document.addEventListener(`harness:call:${name}`, (event) => {
        const { id, key, args } = decode(event.detail)
        const done = (result) =>
          document.dispatchEvent(new CustomEvent(`harness:done:${name}`, { detail: encode({ id, ...result }) }))
        Promise.resolve(api[key](...args)).then(
          (value) => done({ value }),
          (error) => done({ error: error.message }),
        )
      })
      const expose = () =>
        document.dispatchEvent(new CustomEvent('harness:expose', { detail: encode({ name, keys: Object.keys(api) }) }))
      document.addEventListener('harness:page-is-ready', expose)
      expose()
    },
  }
  const modules = { electron: { contextBridge, ipcRenderer } }
  runPreload((name) => {
    if (modules[name]) return modules[name]
    throw new Error(`harness: a sandboxed preload cannot require ${name}`)
  })
}

/** The page's world: builds `window[name]` from functions that call over, and drops what Electron would lose. */
function mainWorld() {
  document.addEventListener('harness:expose', (event) => {
    const { name, keys } = decode(event.detail)
    if (name in window) return
    const waiting = new Map()
    let nextId = 1
    document.addEventListener(`harness:done:${name}`, (done) => {
      const { id, error, value } = decode(done.detail)
      if (error === undefined) waiting.get(id).resolve(value)
      else waiting.get(id).reject(new Error(error))
      waiting.delete(id)
    })
    const call =
      (key) =>
      (...args) =>
        new Promise((resolve, reject) => {
          waiting.set(nextId, { resolve, reject })
          document.dispatchEvent(
            new CustomEvent(`harness:call:${name}`, { detail: encode({ id: nextId++, key, args }) }),
          )
        })
    const api = Object.freeze(Object.fromEntries(keys.map((key) => [key, call(key)])))
    Object.defineProperty(window, name, { value: api, enumerable: true })
  })
  document.dispatchEvent(new CustomEvent('harness:page-is-ready'))
  const post = MessagePort.prototype.postMessage
  MessagePort.prototype.postMessage = function (message, transfer) {
    const list = Array.isArray(transfer) ? transfer : (transfer?.transfer ?? [])
    if (list.some((item) => !(item instanceof MessagePort)))
      throw new TypeError('harness: Electron loses a message that transfers a buffer (electron#34905)')
    post.call(this, message, list)
  }
}

const codec = `${encode}\n${decode}`
export const mainWorldSource = `(() => { if (window !== window.top) return; ${codec}; (${mainWorld})() })()`
export const isolatedWorldSource = (preload) =>
  `(() => { if (window !== window.top) return; ${codec}; (${isolatedWorld})((require) => { const module = { exports: {} }, exports = module.exports;\n${preload}\n}) })()`
