import { expect, test } from 'vitest'
import { crumbs, type Crumbs } from '../../test/crumbs'
import { checkInvariants } from './check'
import { SIGKILL } from './lifecycle'
import { zoneScanners } from './mm/compaction_scanners'

const COMPACT = { kind: 'write', path: '/proc/sys/vm/compact_memory', create: false, append: false } as const
const order = (c: Crumbs, pid: number, text = '1') =>
  c.machine.engine.command(c.state, { ...COMPACT, pid, text, goesOn: true }, { stopRequested: false })

test('a write of a host-driven task that takes long is its own work: others run, and the scanners are seen', () => {
  const walk: number[] = []
  const c = crumbs({
    mib: 160,
    pages: 30_000,
    afterEvent: (state) => {
      const { by, migratePfn } = zoneScanners(state, 1)
      if (by === 'manual') walk.push(migratePfn)
    },
  })
  const init = c.machine.task(1)
  const { cpu } = init
  const before = { workNs: init.stimeNs, otherNs: c.machine.task(c.pid).stimeNs }
  expect(order(c, 1)).toEqual({ ok: true, value: { value: 1, text: '' } })
  expect([init.op?.op, init.state, init.cpu]).toEqual(['writeFile', 'R', cpu])
  c.machine.begin(c.pid, { op: 'compute', ns: 3e6 })
  c.machine.advance(100e6)
  expect(walk.length).toBeGreaterThan(3)
  expect(walk).toEqual(walk.toSorted((a, b) => a - b))
  expect(init.stimeNs - before.workNs).toBeGreaterThan(3e6)
  expect(c.machine.task(c.pid).stimeNs - before.otherNs).toBeGreaterThan(3e6)
  expect([init.op?.op, init.state]).toEqual(['host', 'S'])
  expect(zoneScanners(c.state, 1).last?.by).toBe('manual')
  expect(checkInvariants(c.state)).toEqual([])
})

test('what the file refuses is refused at once, and nothing goes on', () => {
  const c = crumbs()
  expect(order(c, 1, '2')).toMatchObject({ ok: false, error: { errno: 'EINVAL' } })
  expect(c.machine.task(1).op?.op).toBe('host')
  expect(c.state.compaction.manual).toEqual({})
})

test('a second write while the first goes on, and one that nobody waits for, are done at once', () => {
  const c = crumbs({ mib: 160, pages: 30_000 })
  order(c, 1)
  expect(order(c, 1)).toEqual({ ok: true, value: { value: 0, text: '' } })
  expect(c.machine.write(COMPACT.path, '1')).toBe('')
  expect(Object.keys(c.state.compaction.manual)).toEqual(['1'])
  c.machine.advance(100e6)
  expect(c.state.compaction.manual).toEqual({})
  expect(checkInvariants(c.state)).toEqual([])
})

test('a host-driven task that is killed or told to end in the middle leaves nothing behind', () => {
  for (const end of ['kill', 'exit'] as const) {
    const c = crumbs({ mib: 160, pages: 30_000 })
    const reply = c.machine.engine.command(c.state, { kind: 'fork', parent: 1 }, { stopRequested: false })
    const pid = reply.ok ? reply.value.value : 0
    c.machine.advance(50e6)
    order(c, pid)
    c.machine.advance(2e6)
    expect(Object.keys(c.state.compaction.manual)).toEqual([String(pid)])
    if (end === 'kill') c.machine.signal(pid, SIGKILL)
    else c.machine.command({ kind: 'exit', pid, status: 0 })
    c.machine.advance(20e6)
    expect(c.state.compaction.manual).toEqual({})
    expect(checkInvariants(c.state)).toEqual([])
  }
})
