import { expect, test } from 'vitest'
import { fakeEngine } from '../../test/support/fake-engine'
import { quiet, testSession, VM_512M } from '../../test/support/session'
import { createShelf } from '../labs/index'
import type { Request, StatusMessage } from '../protocol/messages'
import { createMemoryPorts } from './memory-port'

const MS = 1_000_000
const S = 1000 * MS

async function booted(seed = 1) {
  const t = testSession()
  const result = await t.client.request({ kind: 'boot', profile: 'vm-512m', seed })
  if (!result.ok) throw new Error(result.error.message)
  const status = async (): Promise<StatusMessage> => {
    const seen = await t.client.request({ kind: 'step', by: { ns: 0 } })
    if (!seen.ok) throw new Error(seen.error.message)
    return seen.value
  }
  const ask = async (request: Request): Promise<never> => {
    const reply = await t.client.request(request)
    if (!reply.ok) throw new Error(`${request.kind}: ${reply.error.message}`)
    return reply.value as never
  }
  return { ...t, status, ask }
}

test('every request is answered exactly once, with a Result, without a machine as well', async () => {
  const { client } = testSession()
  const requests: Request[] = [
    { kind: 'preview', profile: 'vm-512m' },
    { kind: 'play', speed: 1 },
    { kind: 'pause' },
    { kind: 'step', by: { events: 1 } },
    { kind: 'step', by: { ns: 5 } },
    { kind: 'seek', atNs: 3 },
    { kind: 'reset' },
    { kind: 'readFile', path: '/x' },
    { kind: 'writeFile', path: '/x', text: '1' },
    { kind: 'mkdir', path: '/x' },
    { kind: 'rmdir', path: '/x' },
    { kind: 'terminalInput', terminal: 0, text: 'x' },
    { kind: 'terminalOpen', terminal: 0, columns: 80, rows: 24 },
    { kind: 'terminalResize', terminal: 0, columns: 80, rows: 24 },
    { kind: 'exec', line: 'true' },
    { kind: 'spawn', argv: ['burn', '1'], cgroup: '' },
    { kind: 'kill', pid: 1, signal: 9 },
    { kind: 'subscribe', sections: ['zones'] },
    { kind: 'getSeries', names: ['a'], fromNs: 0, toNs: 1, buckets: 1 },
    { kind: 'getSpans', fromNs: 0, toNs: 1, limit: 1 },
    { kind: 'getEvents', fromNs: 0, toNs: 1, names: [], limit: 1 },
    { kind: 'listSeries' },
    { kind: 'getOomReports' },
    { kind: 'startLab', id: 'x', seed: 1 },
    { kind: 'labAnswer', step: 0, answer: '' },
    { kind: 'labHint', step: 0 },
    { kind: 'getLab' },
    { kind: 'stopLab' },
    { kind: 'listLabs' },
    { kind: 'listMachines' },
    { kind: 'saveSession' },
    { kind: 'loadSession', text: '{', fileName: 'x.json' },
    { kind: 'importCapture', files: {}, name: 'x' },
    { kind: 'checkInvariants' },
    { kind: 'getPageLayout' },
    { kind: 'getPageMap', query: { colour: 'owner', subject: '', shift: 0, ranges: [], whole: false } },
    { kind: 'getPage', pfn: 1 },
    { kind: 'boot', profile: '{', seed: 1 },
    { kind: 'nonsense' } as unknown as Request,
  ]
  const order: string[] = []
  const results = await Promise.all(
    requests.map(async (request) => {
      const result = await client.request(request)
      order.push(request.kind)
      return { kind: request.kind, result }
    }),
  )
  expect(order).toEqual(requests.map((r) => r.kind))
  const succeed = results.filter((r) => r.result.ok).map((r) => r.kind)
  expect(succeed).toEqual(['preview', 'pause', 'subscribe', 'getLab', 'stopLab', 'listLabs', 'listMachines'])
  for (const { result } of results) {
    if (!result.ok) expect(Object.keys(result.error).sort()).toEqual(['code', 'fix', 'message', 'where'])
  }
})

test('a bad profile leaves the running machine as it is', async () => {
  const { client, ask, status } = await booted()
  await ask({ kind: 'step', by: { ns: 5 * MS } })
  const refusals = await Promise.all([
    client.request({ kind: 'boot', profile: '{"format": "pagewalk-machine", "version": 99}', seed: 1 }),
    client.request({ kind: 'boot', profile: 'no-such', seed: 1 }),
    client.request({ kind: 'boot', profile: 'vm-512m', seed: -1 }),
    client.request({ kind: 'loadSession', text: '{"format":"pagewalk-session","version":7}', fileName: 's.json' }),
  ])
  expect(refusals.map((r) => (r.ok ? '' : r.error.code))).toEqual([
    'profile/newer',
    'host/no-such-machine',
    'host/seed',
    'profile/newer',
  ])
  expect((await status()).nowNs).toBe(5 * MS)
})

test('playing keeps the speed, stops at pause, and tells at most twenty times a second', async () => {
  const { ask, clock, events, status } = await booted()
  await ask({ kind: 'subscribe', sections: ['swap'] })
  await ask({ kind: 'spawn', argv: ['burn', '100000'], cgroup: '' })
  await ask({ kind: 'play', speed: 2 })
  events.length = 0
  await clock.pass(1000)
  const frames = events.filter((e) => e.kind === 'frame').length
  expect(frames).toBeGreaterThan(10)
  expect(frames).toBeLessThanOrEqual(21)
  await ask({ kind: 'pause' })
  const { nowNs, running } = await status()
  expect(running).toBe(false)
  expect(nowNs / S).toBeGreaterThan(1.8)
  expect(nowNs / S).toBeLessThan(2.1)
  await clock.pass(500)
  expect((await status()).nowNs).toBe(nowNs)
})

test('as fast as it goes still answers requests in between', async () => {
  const { ask, clock, status } = await booted()
  await ask({ kind: 'spawn', argv: ['burn', '100000'], cgroup: '' })
  await ask({ kind: 'play', speed: Infinity })
  await clock.pass(100)
  const text: string = await ask({ kind: 'readFile', path: '/proc/uptime' })
  expect(Number(text)).toBeGreaterThan(0.3)
  await ask({ kind: 'pause' })
  expect((await status()).running).toBe(false)
})

test('a seek shows what was there, and playing on from there changes nothing', async () => {
  const { ask, status } = await booted(3)
  await ask({ kind: 'spawn', argv: ['burn', '300'], cgroup: '' })
  await ask({ kind: 'step', by: { ns: 50 * MS } })
  await ask({ kind: 'writeFile', path: '/tmp/a', text: 'hello' })
  await ask({ kind: 'step', by: { ns: 50 * MS } })
  const saved: string = await ask({ kind: 'saveSession' })
  const back = (await ask({ kind: 'seek', atNs: 49 * MS })) as StatusMessage
  expect([back.nowNs, back.endNs]).toEqual([49 * MS, 100 * MS])
  await ask({ kind: 'saveSession' }).then((text) => expect(text).toBe(saved))
  await ask({ kind: 'seek', atNs: 100 * MS })
  expect(await ask({ kind: 'saveSession' })).toBe(saved)
  expect(await ask({ kind: 'readFile', path: '/tmp/a' })).toBe('hello\n')
  const after = await status()
  expect(after.endNs).toBe(after.nowNs)
})

test('steps go event by event in both directions', async () => {
  const { ask } = await booted()
  await ask({ kind: 'spawn', argv: ['burn', '50'], cgroup: '' })
  const counts: number[] = []
  for (const events of [3, 1, 1, -2, -1, 4, 1]) {
    const status: StatusMessage = await ask({ kind: 'step', by: { events } })
    counts.push(status.eventCount)
  }
  expect(counts).toEqual([3, 4, 5, 3, 2, 6, 7])
})

test('acting in the past cuts the run there', async () => {
  const { ask, status, client } = await booted()
  await ask({ kind: 'spawn', argv: ['burn', '50'], cgroup: '' })
  await ask({ kind: 'step', by: { ns: 30 * MS } })
  await ask({ kind: 'writeFile', path: '/tmp/late', text: 'x' })
  await ask({ kind: 'step', by: { ns: 30 * MS } })
  await ask({ kind: 'seek', atNs: 20 * MS })
  await ask({ kind: 'writeFile', path: '/tmp/other', text: 'y' })
  expect(await status()).toMatchObject({ nowNs: 20 * MS, endNs: 20 * MS })
  await ask({ kind: 'step', by: { ns: 30 * MS } })
  expect((await client.request({ kind: 'readFile', path: '/tmp/late' })).ok).toBe(false)
  expect(await ask({ kind: 'readFile', path: '/tmp/other' })).toBe('y\n')
  const events: readonly { atNs: number }[] = await ask({
    kind: 'getEvents',
    fromNs: 0,
    toNs: S,
    names: [],
    limit: 1000,
  })
  expect(events.map((e) => e.atNs)).toEqual(Array.from({ length: 50 }, (_, i) => i * MS))
})

test('a saved session lives again to the same bits, and has the same record', async () => {
  const one = await booted(11)
  await one.ask({ kind: 'terminalOpen', terminal: 0, columns: 80, rows: 24 })
  await one.ask({ kind: 'exec', line: 'burn 40' })
  await one.ask({ kind: 'step', by: { ns: 25 * MS } })
  await one.ask({ kind: 'kill', pid: 3, signal: 9 })
  await one.ask({ kind: 'step', by: { events: 4 } })
  const saved: string = await one.ask({ kind: 'saveSession' })
  const query: Request = { kind: 'getEvents', fromNs: 0, toNs: S, names: [], limit: 1000 }
  const two = testSession()
  const loaded = await two.client.request({ kind: 'loadSession', text: saved, fileName: 'a.json' })
  expect(loaded.ok && loaded.value.notice).toBe(undefined)
  expect(await two.client.request({ kind: 'saveSession' })).toEqual({ ok: true, value: saved })
  expect(await two.client.request(query)).toEqual({ ok: true, value: await one.ask(query) })
})

test('a session that another engine takes elsewhere is loaded with a notice', async () => {
  const { ask } = await booted(11)
  await ask({ kind: 'spawn', argv: ['burn', '10'], cgroup: '' })
  await ask({ kind: 'step', by: { ns: 25 * MS } })
  const saved: string = await ask({ kind: 'saveSession' })
  const other = saved.replace(/"digest": "[0-9a-f]+"/, '"digest": "0123456789abcdef"')
  const loaded = await testSession().client.request({ kind: 'loadSession', text: other, fileName: 'a.json' })
  expect(loaded.ok && loaded.value.notice).toMatch(/a\.json was written by Pagewalk 0\.1\.0-test/)
})

test('an internal check that fails stops the machine, reports, and leaves it readable and rewindable', async () => {
  const { ask, client, events, status } = await booted()
  await ask({ kind: 'spawn', argv: ['burn', '50', 'crash'], cgroup: '' })
  const stopped = await client.request({ kind: 'step', by: { ns: 20 * MS } })
  expect(stopped.ok ? '' : stopped.error.message).toBe('the fake machine was told to break')
  const report = events.find((e) => e.kind === 'stopped')
  expect(report).toMatchObject({ report: { reason: 'assertion', atNs: 5 * MS, seed: 1 } })
  expect(await ask({ kind: 'readFile', path: '/proc/uptime' })).toBe('0.005\n')
  const refused = await client.request({ kind: 'writeFile', path: '/tmp/a', text: 'x' })
  expect(refused.ok ? '' : refused.error.code).toBe('host/broken')
  await ask({ kind: 'seek', atNs: 3 * MS })
  expect((await status()).nowNs).toBe(3 * MS)
  if (report?.kind !== 'stopped') throw new Error('no report')
  const again = testSession()
  const loaded = await again.client.request({
    kind: 'loadSession',
    text: report.report.session,
    fileName: 'report.json',
  })
  expect(loaded.ok && loaded.value.notice).toBe(undefined)
  expect((await again.client.request({ kind: 'step', by: { ns: 20 * MS } })).ok).toBe(false)
})

test('a terminal runs lines in a shell that is a task of the machine', async () => {
  const { ask, clock, screen } = await booted()
  await ask({ kind: 'terminalOpen', terminal: 0, columns: 80, rows: 24 })
  await ask({ kind: 'play', speed: 10 })
  await ask({ kind: 'terminalInput', terminal: 0, text: 'burn 15; echo status $?\r' })
  await clock.pass(300)
  expect(screen()).toContain('tick 0 ')
  expect(screen()).toContain('tick 10 ')
  expect(screen()).toContain('status 3')
})

test('a command typed while the clock stands still moves it until the command is done', async () => {
  const { ask, clock, screen, status } = await booted()
  await ask({ kind: 'terminalOpen', terminal: 0, columns: 80, rows: 24 })
  await ask({ kind: 'play', speed: 10 })
  await ask({ kind: 'pause' })
  await ask({ kind: 'terminalInput', terminal: 0, text: 'burn 15; echo status $?\r' })
  await clock.pass(300)
  expect(screen()).toContain('status 3')
  const after = await status()
  await clock.pass(300)
  expect((await status()).nowNs).toBe(after.nowNs)
})

test('typing in the past cuts only when a line is sent, and a new shell runs it', async () => {
  const { ask, clock, screen, status } = await booted()
  await ask({ kind: 'terminalOpen', terminal: 0, columns: 80, rows: 24 })
  await ask({ kind: 'exec', line: 'burn 100 &' })
  await ask({ kind: 'step', by: { ns: 50 * MS } })
  await ask({ kind: 'seek', atNs: 20 * MS })
  await ask({ kind: 'terminalInput', terminal: 0, text: 'echo $((6' })
  expect((await status()).endNs).toBe(50 * MS)
  await ask({ kind: 'terminalInput', terminal: 0, text: '*7))\r' })
  expect((await status()).endNs).toBe(20 * MS)
  await ask({ kind: 'play', speed: 1 })
  await clock.pass(100)
  expect(screen()).toContain('42')
})

test('machines that are ready are listed, broken ones are not', async () => {
  const { ask } = await booted()
  const machines: readonly { id: string; memoryBytes: number; profile: string }[] = await ask({ kind: 'listMachines' })
  expect(machines.map((m) => m.id)).toEqual(['vm-512m'])
  expect(machines[0]!.memoryBytes).toBe(512 * 1024 * 1024)
  expect(machines[0]!.profile).toBe(VM_512M)
})

test('series carry the record as columns of the width that was asked for', async () => {
  const { ask } = await booted()
  await ask({ kind: 'spawn', argv: ['burn', '50'], cgroup: '' })
  await ask({ kind: 'step', by: { ns: 40 * MS } })
  const window = (await ask({
    kind: 'getSeries',
    names: ['psi:some:avg10', 'no:such'],
    fromNs: 0,
    toNs: 40 * MS,
    buckets: 4,
  })) as {
    times: Float64Array
    series: { last: Float64Array }[]
  }
  expect([...window.times]).toEqual([0, 10 * MS, 20 * MS, 30 * MS])
  expect([...window.series[0]!.last]).toEqual([0, 0, 0, 0])
  expect([...window.series[1]!.last]).toEqual([NaN, NaN, NaN, NaN])
})

test('nothing that crosses the port is shared with the machine', async () => {
  const { host, client } = createMemoryPorts()
  const live = { a: new Float64Array([1]), deep: { list: [1] } }
  const got: (typeof live)[] = []
  client.onMessage((message) => got.push(message as typeof live))
  host.send(live)
  live.a[0] = 2
  live.deep.list.push(3)
  await quiet()
  expect(got).toEqual([{ a: new Float64Array([1]), deep: { list: [1] } }])
  expect(() => host.send({ f: () => 1 })).toThrow()
})

test('closing answers what is under way and stops the machine', async () => {
  const t = testSession({ engine: fakeEngine() })
  await t.client.request({ kind: 'boot', profile: 'vm-512m', seed: 1 })
  await t.client.request({ kind: 'play', speed: Infinity })
  t.session.close()
  await t.clock.pass(50)
  t.client.close()
  expect((await t.client.request({ kind: 'pause' })).ok).toBe(false)
})

const LAB_JSON = (steps: string): string => `{
  "format": "pagewalk-lab", "version": 1, "id": "01-x", "title": "X", "summary": "s", "minutes": 1, "topics": [1],
  "outcomes": ["o"], "machine": "vm-512m", "setup": "echo ready > /tmp/setup", "seeds": [4], "steps": [${steps}]
}`

test('a lab brings its machine, prepares it, and sees what is done', async () => {
  const labs = createShelf(
    [
      {
        name: '01-x',
        markdown: '<!-- step: make -->\n\nWrite it.\n',
        json: LAB_JSON(`{"id": "make", "kind": "check", "solution": "echo hello > /tmp/a", "checks":
      [{"kind": "contains", "says": "it says hello", "path": "/tmp/a", "text": "hello"}]}`),
      },
    ],
    { 'vm-512m': VM_512M },
  )
  expect(labs.broken).toEqual([])
  const t = testSession({ labs })
  const listed = await t.client.request({ kind: 'listLabs' })
  expect(listed.ok && listed.value.map((l) => l.id)).toEqual(['01-x'])
  const started = await t.client.request({ kind: 'startLab', id: '01-x', seed: 4 })
  expect(started.ok && started.value.finished).toBe(false)
  expect(await t.client.request({ kind: 'readFile', path: '/tmp/setup' })).toEqual({ ok: true, value: 'ready\n' })
  await t.client.request({ kind: 'writeFile', path: '/tmp/a', text: 'hello' })
  await quiet()
  const progress = t.events.findLast((e) => e.kind === 'labProgress')
  expect(progress?.kind === 'labProgress' && progress.progress.finished).toBe(true)

  const saved = await t.client.request({ kind: 'saveSession' })
  const other = testSession({ labs })
  await other.client.request({ kind: 'loadSession', text: saved.ok ? saved.value : '', fileName: 'x.json' })
  expect(await other.client.request({ kind: 'getLab' })).toMatchObject({
    ok: true,
    value: { id: '01-x', finished: true },
  })
  await other.client.request({ kind: 'boot', profile: VM_512M, seed: 1 })
  expect(await other.client.request({ kind: 'getLab' })).toEqual({ ok: true, value: undefined })
})
