import { expect, test } from 'vitest'
import { fakeConfig, fakeEngine } from '../../test/support/fake-engine'
import type { Program } from '../engine/task'
import { digestTree } from '../util/hash'
import { bootMachine, RECORD_ALL } from './machine'
import { createSysHost, type SysHost } from './sys'

const MS = 1_000_000
const S = 1000 * MS
const programs = { sleep: {} as Program, burn: {} as Program }

function start(seed = 1) {
  const machine = bootMachine(fakeEngine(), fakeConfig(), seed, RECORD_ALL)
  const stray: string[] = []
  const host = createSysHost(machine, { programs, onStrayOutput: (text) => stray.push(text) })
  return { machine, host, sys: host.sys, stray }
}

const pidOf = (result: { ok: boolean; value?: number }): number => (result.ok ? result.value! : -1)

test('a child is waited for until the exact time at which it ends, and is reaped', async () => {
  const { machine, host, sys } = start()
  const pid = pidOf(sys.spawn(1, { argv: ['sleep', '2'] }, () => {}))
  let seen: unknown
  void sys.wait(1, pid).then((status) => (seen = { status, at: sys.now() }))
  await host.advance(10 * S)
  expect(seen).toEqual({ status: 0, at: 2 * S })
  expect(machine.state.tasks[pid]).toBeUndefined()
  expect(sys.now()).toBe(10 * S)
})

test('waiting for a zombie and for nobody answers at once', async () => {
  const { host, sys } = start()
  const pid = pidOf(sys.spawn(1, { argv: ['burn', '1'] }, () => {}))
  await host.advance(1 * S)
  expect(await sys.wait(1, pid)).toBe(3)
  expect(await sys.wait(1, pid)).toBe(127)
})

test('sleepers wake in the order of their time, then of their arrival, however long their chains of awaits', async () => {
  const { host, sys } = start()
  const seen: string[] = []
  const sleeper = async (name: string, ns: number): Promise<void> => {
    await sys.sleep(1, ns)
    for (let i = 0; i < 5000; i++) await undefined
    seen.push(`${name}@${sys.now() / MS}`)
    await sys.sleep(1, ns)
    seen.push(`${name}@${sys.now() / MS}`)
  }
  void sleeper('a', 3 * MS)
  void sleeper('b', 2 * MS)
  void sleeper('c', 3 * MS)
  await host.advance(20 * MS)
  expect(seen).toEqual(['b@2', 'a@3', 'c@3', 'b@4', 'a@6', 'c@6'])
})

test('declared foreign work holds time still', async () => {
  const { host, sys } = start()
  let at = -1
  void (async () => {
    await sys.sleep(1, MS)
    await sys.work!(new Promise((resolve) => setTimeout(resolve, 5)))
    at = sys.now()
  })()
  await host.advance(1 * S)
  expect(at).toBe(MS)
})

test('a killed sleeper hears of it at once', async () => {
  const { host, sys } = start()
  const pid = pidOf(sys.fork(1))
  let result: unknown
  void sys.sleep(pid, 5 * S).then((slept) => (result = { slept, at: sys.now() }))
  await host.advance(1 * S)
  sys.kill(1, pid, 9)
  await host.settle()
  expect(result).toEqual({ slept: false, at: 1 * S })
  expect(await sys.sleep(pid, 1)).toBe(false)
})

test('a tool is ready when it is loaded, and not when it was killed before', async () => {
  const { host, sys } = start()
  const a = sys.spawnTool(1, ['cat'])
  const b = sys.spawnTool(1, ['grep'])
  if (!a.ok || !b.ok) throw new Error('not spawned')
  const seen: unknown[] = []
  void a.value.ready.then((r) => seen.push(['a', r, sys.now()]))
  void b.value.ready.then((r) => seen.push(['b', r, sys.now()]))
  sys.kill(1, b.value.pid, 9)
  await host.advance(1 * MS)
  expect(seen).toEqual([
    ['b', false, 0],
    ['a', true, 300_000],
  ])
})

test('output reaches whoever spawned, before the exit is told', async () => {
  const { host, sys, stray } = start()
  const seen: string[] = []
  const pid = pidOf(
    sys.spawn(1, { argv: ['burn', '21'] }, (fd, text) => seen.push(`${fd}:${text.split(' ')[1]}@${sys.now() / MS}`)),
  )
  void sys.wait(1, pid).then((status) => seen.push(`exit ${status}`))
  await host.advance(1 * S)
  expect(seen).toEqual(['1:0@0', '1:10@10', '1:20@20', 'exit 3'])
  expect(stray).toEqual([])
})

test('an unknown program is refused and nothing is watched', () => {
  const { sys } = start()
  expect(sys.spawn(1, { argv: ['nope'] }, () => {})).toEqual({ ok: false, error: { errno: 'ENOENT', explanation: '' } })
  expect(sys.isProgram('burn')).toBe(true)
  expect(sys.isProgram('toString')).toBe(false)
  expect(sys.programNames()).toEqual(['burn', 'sleep'])
})

/** A shell-like user: two jobs, output that decides what is done next, sleeps in between. */
async function busyUser(host: SysHost): Promise<void> {
  const { sys } = host
  const job = async (n: number): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      let text = ''
      const pid = pidOf(sys.spawn(1, { argv: ['burn', String(n + i)] }, (_, t) => (text += t)))
      await sys.wait(1, pid)
      sys.write(1, `/tmp/${n}`, text, { create: true, append: false })
      if (text.length % 2 === 0) await sys.sleep(1, (text.length + 1) * 1000)
    }
  }
  await Promise.all([job(12), job(25), sys.sleep(1, 7 * MS).then(() => job(3))])
}

test('the same user on the same seed gives the same log and the same machine, however time is sliced', async () => {
  const runs = await Promise.all(
    [Infinity, 1, 7, 1000].map(async (slices) => {
      const { machine, host } = start(9)
      const done = busyUser(host)
      const endNs = 400 * MS
      if (slices === Infinity) await host.advance(endNs)
      else {
        let looks = 0
        while (machine.state.nowNs < endNs) {
          let n = 0
          const to = Math.min(endNs, machine.state.nowNs + ((++looks * 37) % 11) * MS + slices)
          await host.advance(to, () => n++ > 2)
        }
      }
      await done
      return { digest: digestTree(machine.state), log: machine.rewind.log }
    }),
  )
  expect(runs[0]!.log.length).toBeGreaterThan(20)
  for (const run of runs) expect(run).toEqual(runs[0])
})

test('a closed door does nothing and answers nothing', async () => {
  const { machine, host, sys } = start()
  let slept = false
  void sys.sleep(1, MS).then(() => (slept = true))
  host.close()
  const before = digestTree(machine.state)
  expect(sys.fork(1).ok).toBe(false)
  await host.advance(1 * S)
  await host.settle()
  expect(slept).toBe(false)
  expect(digestTree(machine.state)).toBe(before)
})
