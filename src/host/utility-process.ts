/**
 * Entry of Electron's utility process: main sends one port for each window that connects, and each gets a session of its
 * own. Messages are copied: these ports carry only ports in their transfer list.
 */
import type { Port } from '../protocol/port'
import type { ConnectMessage } from '../protocol/shell-api'
import { entryDeps } from './entry'
import { createSession } from './session'

/** The used part of Electron's MessagePortMain and process.parentPort. */
interface PortMain {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { readonly data: unknown; readonly ports: readonly PortMain[] }) => void): void
  on(event: 'close', listener: () => void): void
  start(): void
  close(): void
}

const { parentPort } = process as unknown as { parentPort: PortMain }

parentPort.on('message', ({ data, ports }) => {
  const [port] = ports
  if (port === undefined || (data as ConnectMessage).kind !== 'connect') return
  const session = createSession(portOf(port), entryDeps())
  port.on('close', () => session.close())
  port.start()
})

const portOf = (port: PortMain): Port<unknown, unknown> => ({
  send: (message) => port.postMessage(message),
  onMessage: (listener) => port.on('message', (event) => listener(event.data)),
  close: () => port.close(),
})
