/**
 * The window's end of the protocol: requests become promises, everything else goes to the listeners. Knows nothing of
 * where the session runs.
 */
import { userError, type Result } from '../util/result'
import type { HostEvent, ReplyEnvelope, ReplyOf, Request, RequestEnvelope } from './messages'
import type { Port } from './port'

export interface Client {
  request<R extends Request>(request: R): Promise<Result<ReplyOf[R['kind']]>>
  /** @returns stops listening */
  on(listener: (event: HostEvent) => void): () => void
  /** Gives the port up; requests under way are answered with an error. */
  close(): void
}

export function createClient(port: Port<unknown, unknown>): Client {
  const waiting = new Map<number, (result: Result<never>) => void>()
  const listeners = new Set<(event: HostEvent) => void>()
  let lastId = 0
  let isClosed = false

  port.onMessage((message) => {
    if (isReply(message)) {
      const answer = waiting.get(message.id)
      waiting.delete(message.id)
      answer?.(message.result as Result<never>)
    } else if (isEvent(message)) {
      for (const listener of [...listeners]) listener(message)
    }
  })

  return {
    request: (request) => {
      if (isClosed) return Promise.resolve(gone(request))
      const envelope: RequestEnvelope = { id: ++lastId, request }
      return new Promise((resolve) => {
        waiting.set(envelope.id, resolve)
        port.send(envelope)
      })
    },
    on: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: () => {
      isClosed = true
      port.close()
      for (const answer of waiting.values()) answer(gone({ kind: 'pause' }))
      waiting.clear()
      listeners.clear()
    },
  }
}

const gone = (request: { readonly kind: string }): Result<never> =>
  userError('host/gone', request.kind, 'The connection to the machine was closed.', 'Open the window again.')

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const isReply = (message: unknown): message is ReplyEnvelope =>
  isObject(message) && typeof message['id'] === 'number' && isObject(message['result'])

const isEvent = (message: unknown): message is HostEvent => isObject(message) && typeof message['kind'] === 'string'
