/**
 * Where the engine runs, and the only file that knows: a Web Worker of this page, or the process behind the port that
 * the desktop shell hands over. The port may come again when that process had to be restarted.
 */
import type { Port } from '../protocol/port'
import type { MenuAction, ShellMessage } from '../protocol/shell-api'

export interface EngineLinkEvents {
  /** `isRestart`: the engine died and is back, empty. */
  readonly onPort: (port: Port<unknown, unknown>, isRestart: boolean) => void
  readonly onLost: (message: string) => void
  readonly onMenu: (action: MenuAction) => void
}

function workerPort(worker: Worker): Port<unknown, unknown> {
  return {
    send: (message, transfer) => worker.postMessage(message, [...(transfer ?? [])]),
    onMessage: (listener) => worker.addEventListener('message', (event) => listener(event.data)),
    close: () => worker.terminate(),
  }
}

/** The desktop's messages are copied, never transferred: its ports take only ports along. */
function messagePort(port: MessagePort): Port<unknown, unknown> {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (listener) => {
      port.addEventListener('message', (event) => listener(event.data))
      port.start()
    },
    close: () => port.close(),
  }
}

function isShellMessage(data: unknown): data is ShellMessage {
  return typeof data === 'object' && data !== null && 'kind' in data && String(data.kind).startsWith('pagewalk:')
}

const startWorker = (): Worker => new Worker(new URL('../host/web-worker.ts', import.meta.url), { type: 'module' })

/**
 * A second engine for work in the background. A worker of the page in the desktop as well: the engine's process is one
 * thread, and the machine in the window must not wait for a sweep. Closing the port ends it at once.
 */
export const spareEngine = (): Port<unknown, unknown> => workerPort(startWorker())

/** Starts the engine, or asks the shell for it. */
export function connectEngine(events: EngineLinkEvents): void {
  const shell = globalThis.pagewalk
  if (shell === undefined) {
    const worker = startWorker()
    worker.addEventListener('error', (event) => events.onLost(event.message || 'the engine’s worker did not start'))
    events.onPort(workerPort(worker), false)
    return
  }
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (event.source !== window || !isShellMessage(event.data)) return
    const message = event.data
    const port = event.ports[0]
    if (message.kind === 'pagewalk:port' && port) events.onPort(messagePort(port), message.restarted)
    if (message.kind === 'pagewalk:engine-lost') events.onLost(message.message)
    if (message.kind === 'pagewalk:menu') events.onMenu(message.action)
  })
  shell.connectEngine()
}
