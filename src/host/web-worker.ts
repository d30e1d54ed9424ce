/** Entry of the Web Worker: the page's own worker is the session's only client. Large columns are transferred. */
import type { Port } from '../protocol/port'
import { entryDeps } from './entry'
import { createSession } from './session'
import { buffersOf } from './transfer'

interface WorkerScope {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  close(): void
}

const scope = globalThis as unknown as WorkerScope

const port: Port<unknown, unknown> = {
  send: (message, transfer) => scope.postMessage(message, [...(transfer ?? buffersOf(message))]),
  onMessage: (listener) => scope.addEventListener('message', (event) => listener(event.data)),
  close: () => scope.close(),
}

createSession(port, entryDeps())
