import { expect, test } from 'vitest'
import type { HostEvent, Request } from '../protocol/messages'
import { ok } from '../util/result'
import type { EngineClient } from './client'
import { createSwitchboard } from './switchboard'

interface Recorded extends EngineClient {
  readonly asked: string[]
  say(event: HostEvent): void
}

function clientOf(answers: boolean): Recorded {
  const asked: string[] = []
  const listeners = new Set<(event: HostEvent) => void>()
  const request = ((asking: Request) => {
    asked.push(asking.kind)
    return answers ? Promise.resolve(ok(undefined)) : new Promise(() => undefined)
  }) as EngineClient['request']
  return {
    asked,
    request,
    on: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    say: (event) => listeners.forEach((listener) => listener(event)),
  }
}

test('a request made before there is an engine is sent when it comes', async () => {
  const board = createSwitchboard()
  const reply = board.request({ kind: 'pause' })
  const client = clientOf(true)
  board.connect(client)
  expect((await reply).ok).toBe(true)
  expect(client.asked).toEqual(['pause'])
})

test('a restart answers what the old engine never will', async () => {
  const board = createSwitchboard()
  board.connect(clientOf(false))
  const reply = board.request({ kind: 'listLabs' })
  board.connect(clientOf(true))
  expect(await reply).toMatchObject({ ok: false, error: { code: 'engine/gone' } })
})

test('events of the old engine are not heard after a restart', () => {
  const board = createSwitchboard()
  const heard: string[] = []
  board.on((event) => heard.push(event.kind))
  const old = clientOf(true)
  const fresh = clientOf(true)
  board.connect(old)
  board.connect(fresh)
  old.say({ kind: 'terminal', terminal: 0, text: 'old' })
  fresh.say({ kind: 'terminal', terminal: 0, text: 'new' })
  expect(heard).toEqual(['terminal'])
})

test('without an engine every request says so', async () => {
  const board = createSwitchboard()
  board.disconnect('the engine’s process ended three times.')
  expect(await board.request({ kind: 'pause' })).toMatchObject({ ok: false })
})
