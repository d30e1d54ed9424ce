/**
 * A pair of ports inside one process that copies every message with structuredClone, as a process border does: what
 * cannot cross one fails here too, and no live state can leak through. Messages arrive in order, in later microtasks.
 */
import type { Port } from '../protocol/port'

export interface PortPair {
  readonly client: Port<unknown, unknown>
  readonly host: Port<unknown, unknown>
}

interface End {
  listener: ((message: unknown) => void) | undefined
  readonly queue: unknown[]
}

export function createMemoryPorts(): PortPair {
  const atClient: End = { listener: undefined, queue: [] }
  const atHost: End = { listener: undefined, queue: [] }
  let isClosed = false
  const flush = (end: End): void => {
    queueMicrotask(() => {
      while (!isClosed && end.listener !== undefined && end.queue.length > 0) end.listener(end.queue.shift())
    })
  }
  const portTo = (other: End, own: End): Port<unknown, unknown> => ({
    send: (message) => {
      if (isClosed) return
      other.queue.push(structuredClone(message))
      flush(other)
    },
    onMessage: (listener) => {
      own.listener = listener
      flush(own)
    },
    close: () => {
      isClosed = true
    },
  })
  return { client: portTo(atHost, atClient), host: portTo(atClient, atHost) }
}
