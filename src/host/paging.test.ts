import { expect, test } from 'vitest'
import { TaskMachine } from '../../test/task-machine'
import { faultReply, spaceReply, walkReply } from './paging'

const PAGE = 4096

test('what cannot be walked is refused in words that say what to do', () => {
  const m = new TaskMachine()
  const pid = m.spawn()
  const walk = (request: { pid?: number; address?: string; cpu?: number }) =>
    walkReply(m.state, { kind: 'getWalk', pid, address: '0x400000', cpu: 0, ...request })
  expect(walk({})).toMatchObject({ ok: true })
  expect(walk({ address: '0x7fzz' })).toMatchObject({ ok: false, error: { code: 'paging/address' } })
  expect(walk({ pid: 9999 })).toMatchObject({ ok: false, error: { code: 'paging/process' } })
  expect(walk({ cpu: 99 })).toMatchObject({ ok: false, error: { code: 'paging/cpu' } })
  const kthread = Object.values(m.state.tasks).find((task) => task !== undefined && task.mm < 0)
  if (kthread) expect(spaceReply(m.state, { kind: 'getSpace', pid: kthread.pid })).toMatchObject({ ok: false })
})

test('a prediction changes nothing, and brings the costs that it is measured by', () => {
  const m = new TaskMachine()
  const pid = m.spawn()
  const address = `0x${m.map(pid, 4).toString(16)}`
  const fault = (access: 'read' | 'write' | 'exec', at = address) =>
    faultReply(m.state, { kind: 'getFault', pid, address: at, access })
  const before = m.task(pid).minFlt
  expect(fault('write')).toMatchObject({
    ok: true,
    value: { prediction: { outcome: 'minor', fill: 'anonymous' }, costs: { anonFault: m.state.costs.anonFault } },
  })
  expect(fault('write')).toEqual(fault('write'))
  expect(fault('read', '0x800000000000')).toMatchObject({
    ok: true,
    value: { prediction: { outcome: 'SIGSEGV', siginfo: { code: 128 } } },
  })
  expect(m.task(pid).minFlt).toBe(before)
  m.perform(pid, { op: 'touch', address: Number(address), length: PAGE, mode: 'write' })
  expect(fault('write')).toMatchObject({ ok: true, value: { prediction: { outcome: 'none' } } })
})
