import { expect, test } from 'vitest'
import { quiet, testSession, VM_512M } from '../../test/support/session'
import { loadMachine, toConfig } from '../profiles/index'
import type { Request, StatusMessage } from '../protocol/messages'
import { digestTree } from '../util/hash'
import { createHeadless } from './headless'
import { digestAtEnd, goBack, isAtEnd, keepCheckpoint, RECORD_ALL, RECORD_NOTHING, replayTo, runLive } from './machine'
import { programs, realEngine } from './real-engine'

const MS = 1_000_000

/** A group that reaches its limit, a background job, a pipeline, a kill: reclaim, swap, waiting and signals. */
const SCRIPT = `
mkdir /sys/fs/cgroup/a
echo 4M > /sys/fs/cgroup/a/memory.max
( echo $BASHPID > /sys/fs/cgroup/a/cgroup.procs; exec stress --vm 1 --vm-bytes 5M ) &
tight=$!
stress --vm 1 --vm-bytes 2M &
hog=$!
for i in 1 2 3; do echo line $i; done | sort -r | head -2
cat /proc/vmstat | grep -c pg > /tmp/count
sleep 0.05
kill $tight
kill -9 $hog
wait
cat /tmp/count > /dev/null
`

const config = () => {
  const profile = loadMachine(VM_512M, 'vm-512m.json')
  if (!profile.ok) throw new Error(profile.error.message)
  return toConfig(profile.value)
}

async function run(record: typeof RECORD_ALL) {
  const headless = createHeadless(config(), 7, { engine: realEngine(), programs, record })
  let out = ''
  const result = await headless.runScript(SCRIPT, {
    onStdout: (t) => (out += t),
    onStderr: (t) => (out += t),
    untilNs: 20_000 * MS,
  })
  return { machine: headless.machine, out, result }
}

const BOOTED_NS = 2000 * MS

test('the same script on the same seed gives the same bits, recorded or not, and again from any moment of it', async () => {
  const bare = await run(RECORD_NOTHING)
  const recorded = await run(RECORD_ALL)
  expect(recorded.result).toEqual({ status: 0, stopped: '' })
  expect(recorded.out).toContain('line 3\nline 2\n')
  expect(recorded.out).toBe(bare.out)
  expect(recorded.machine.rewind.log).toEqual(bare.machine.rewind.log)
  const digest = digestTree(bare.machine.state)
  expect(digestTree(recorded.machine.state)).toBe(digest)

  const { machine } = recorded
  expect(machine.engine.checkInvariants(machine.state)).toEqual([])
  const endNs = machine.state.nowNs
  for (const part of [0.3, 0.8]) {
    // The run begins where boot ended.
    const atNs = BOOTED_NS + Math.floor((endNs - BOOTED_NS) * part)
    goBack(machine, atNs)
    replayTo(machine, { atNs, eventCount: Infinity })
    expect(machine.state.nowNs).toBe(atNs)
    expect(machine.engine.checkInvariants(machine.state)).toEqual([])
    keepCheckpoint(machine)
    expect(digestAtEnd(machine, false)).toBe(digest)
    replayTo(machine, { atNs: Infinity, eventCount: Infinity })
    expect(isAtEnd(machine)).toBe(true)
    expect(digestTree(machine.state)).toBe(digest)
  }
  runLive(machine, endNs + 100 * MS)
  runLive(bare.machine, endNs + 100 * MS)
  expect(digestTree(machine.state)).toBe(digestTree(bare.machine.state))
})

test('a session on the real engine is saved, lived again, taken back and forked', async () => {
  const t = testSession({ engine: realEngine(), programs })
  const ask = async (request: Request): Promise<never> => {
    const reply = await t.client.request(request)
    if (!reply.ok) throw new Error(`${request.kind}: ${reply.error.message}`)
    return reply.value as never
  }
  await ask({ kind: 'boot', profile: 'vm-512m', seed: 3 })
  await ask({ kind: 'subscribe', sections: ['zones', 'tasks', 'cgroups', 'pressure', 'swap'] })
  await ask({ kind: 'terminalOpen', terminal: 0, columns: 100, rows: 30 })
  await ask({ kind: 'mkdir', path: '/sys/fs/cgroup/web' })
  await ask({ kind: 'writeFile', path: '/sys/fs/cgroup/web/memory.max', text: '8M' })
  const pid: number = await ask({ kind: 'spawn', argv: ['stress', '--vm', '1', '--vm-bytes', '6M'], cgroup: '/web' })
  await ask({ kind: 'exec', line: 'cat /proc/uptime' })
  await ask({ kind: 'step', by: { ns: 100 * MS } })
  await quiet()
  const frame = t.events.findLast((e) => e.kind === 'frame')
  if (frame?.kind !== 'frame') throw new Error('no frame')
  expect(frame.frame.tasks!.find((x) => x.pid === pid)).toMatchObject({
    cgroup: '/web',
    comm: 'stress',
    isKthread: false,
  })
  expect(frame.frame.cgroups!.find((g) => g.path === '/web')).toMatchObject({
    max: 8 << 20,
    hasMemory: true,
    parent: '/',
  })
  expect(frame.frame.zones!.map((z) => z.name)).toEqual(['DMA', 'DMA32'])
  for (const z of frame.frame.zones!) expect(z.free + z.pcp + z.anon + z.file + z.pagetables + z.kernel).toBe(z.managed)
  expect(t.screen()).toMatch(/2\.\d\d \d\.\d\d\r\n/)

  const saved: string = await ask({ kind: 'saveSession' })
  const other = testSession({ engine: realEngine(), programs })
  const loaded = await other.client.request({ kind: 'loadSession', text: saved, fileName: 's.json' })
  expect(loaded.ok && [loaded.value.notice, loaded.value.nowNs]).toEqual([undefined, BOOTED_NS + 100 * MS])
  expect(await other.client.request({ kind: 'saveSession' })).toEqual({ ok: true, value: saved })

  const back: StatusMessage = await ask({ kind: 'seek', atNs: BOOTED_NS + 40 * MS })
  expect([back.nowNs, back.endNs]).toEqual([BOOTED_NS + 40 * MS, BOOTED_NS + 100 * MS])
  expect(await ask({ kind: 'saveSession' })).toBe(saved)
  await ask({ kind: 'kill', pid, signal: 9 })
  const forked: StatusMessage = await ask({ kind: 'step', by: { ns: 20 * MS } })
  expect([forked.nowNs, forked.endNs]).toEqual([BOOTED_NS + 60 * MS, BOOTED_NS + 60 * MS])
  expect((await t.client.request({ kind: 'readFile', path: `/proc/${pid}/stat` })).ok).toBe(false)
  expect(await ask({ kind: 'checkInvariants' })).toEqual([])
})

test('refusals of the kernel reach the window with its errno and our explanation', async () => {
  const t = testSession({ engine: realEngine(), programs })
  await t.client.request({ kind: 'boot', profile: 'vm-512m', seed: 3 })
  const refusal = async (request: Request) => {
    const reply = await t.client.request(request)
    return reply.ok ? 'accepted' : `${reply.error.code} ${reply.error.where}: ${reply.error.message}`
  }
  expect(await refusal({ kind: 'writeFile', path: '/proc/sys/vm/swappiness', text: '999' })).toBe(
    'EINVAL /proc/sys/vm/swappiness: Invalid argument.',
  )
  expect(await refusal({ kind: 'writeFile', path: '/proc/nowhere', text: '1' })).toMatch(
    /^(ENOENT|EIO|EACCES) \/proc\/nowhere: /,
  )
  expect(await refusal({ kind: 'kill', pid: 99_999, signal: 9 })).toBe('ESRCH pid 99999: No such process.')
  expect(await refusal({ kind: 'rmdir', path: '/sys/fs/cgroup/none' })).toBe(
    'ENOENT /sys/fs/cgroup/none: No such file or directory.',
  )
  expect(await refusal({ kind: 'spawn', argv: ['no-such-program'], cgroup: '' })).toMatch(/^ENOENT no-such-program: /)
})
