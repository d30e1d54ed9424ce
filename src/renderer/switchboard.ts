/** One client for the stores, whichever port is behind it: a restarted engine changes the port, not the stores. */
import type { HostEvent, ReplyOf, Request } from '../protocol/messages'
import type { Result } from '../util/result'
import { userError } from '../util/result'
import type { EngineClient } from './client'

export interface Switchboard extends EngineClient {
  /** From now on requests go here; those that wait for the old one are answered with an error. */
  connect(client: EngineClient): void
  /** There is no engine any more. */
  disconnect(message: string): void
}

type Reply = Result<ReplyOf[Request['kind']]>

export function createSwitchboard(): Switchboard {
  const listeners = new Set<(event: HostEvent) => void>()
  const waiting: (() => void)[] = []
  const open = new Set<(reply: Reply) => void>()
  let current: EngineClient | undefined
  let lost = ''
  let stopListening: (() => void) | undefined

  const gone = (message: string): Result<never> =>
    userError('engine/gone', 'engine', message, 'Open the last session again, or start a machine.')

  function send(request: Request, done: (reply: Reply) => void): void {
    if (lost) return done(gone(lost))
    if (!current) {
      waiting.push(() => send(request, done))
      return
    }
    open.add(done)
    void current.request(request).then((reply) => {
      if (open.delete(done)) done(reply as Reply)
    })
  }
  function dropOpen(message: string): void {
    for (const done of open) done(gone(message))
    open.clear()
  }

  return {
    request: (request) => new Promise((done) => send(request, done as (reply: Reply) => void)),
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    connect(client) {
      stopListening?.()
      dropOpen('the engine was restarted.')
      lost = ''
      current = client
      stopListening = client.on((event) => listeners.forEach((listener) => listener(event)))
      for (const again of waiting.splice(0)) again()
    },
    disconnect(message) {
      lost = message
      current = undefined
      dropOpen(message)
      for (const again of waiting.splice(0)) again()
    },
  }
}
