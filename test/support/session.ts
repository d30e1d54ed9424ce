/** A session over a copying port with a wall clock that only tests move. */
import { readFileSync } from 'node:fs'
import type { Engine } from '../../src/engine/engine_api'
import type { Program, ProgramTable } from '../../src/engine/task'
import { createMemoryPorts } from '../../src/host/memory-port'
import { createSession, type SessionDeps } from '../../src/host/session'
import { createClient } from '../../src/protocol/client'
import type { HostEvent, MachinePreview } from '../../src/protocol/messages'
import { fakeEngine } from './fake-engine'

export const VM_512M = readFileSync(new URL('../../resources/machines/vm-512m.json', import.meta.url), 'utf8')

const FAKE_PROGRAMS: ProgramTable = { sleep: {} as Program, burn: {} as Program }

/** Each look at the clock costs half a millisecond, so that a slice comes to an end. */
export function testClock() {
  let ms = 0
  const due: { atMs: number; work: () => void }[] = []
  return {
    nowMs: () => (ms += 0.5),
    schedule: (work: () => void, after: number) => void due.push({ atMs: ms + after, work }),
    /** Lets wall time pass, running what was scheduled. */
    async pass(forMs: number): Promise<void> {
      const until = ms + forMs
      for (;;) {
        await quiet()
        due.sort((a, b) => a.atMs - b.atMs)
        if (due.length === 0 || due[0]!.atMs > until) break
        const next = due.shift()!
        ms = Math.max(ms, next.atMs)
        next.work()
      }
      ms = Math.max(ms, until)
    },
  }
}

/** Until nothing of the session runs any more: a few turns of the event loop. */
export async function quiet(): Promise<void> {
  for (let i = 0; i < 25; i++) await new Promise((resolve) => setImmediate(resolve))
}

export interface TestSessionOptions {
  readonly engine?: Engine
  readonly programs?: ProgramTable
  readonly labs?: SessionDeps['labs']
}

export function testSession(options: TestSessionOptions = {}) {
  const ports = createMemoryPorts()
  const clock = testClock()
  const session = createSession(ports.host, {
    engine: options.engine ?? fakeEngine(),
    programs: options.programs ?? FAKE_PROGRAMS,
    preview: () =>
      ({ zones: [], nodes: [], holes: [], minFreeKbytes: 1, totalPages: 2, warnings: [] }) satisfies MachinePreview,
    machines: [
      { id: 'vm-512m', text: VM_512M },
      { id: 'broken', text: '{' },
    ],
    clock,
    appVersion: '0.1.0-test',
    ...(options.labs === undefined ? {} : { labs: options.labs }),
  })
  const client = createClient(ports.client)
  const events: HostEvent[] = []
  client.on((event) => events.push(event))
  const screen = (id = 0): string =>
    events.map((e) => (e.kind === 'terminal' && e.terminal === id ? e.text : '')).join('')
  return { client, clock, events, screen, session, ports }
}
