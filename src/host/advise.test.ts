import { expect, test } from 'vitest'
import { testSession, VM_512M } from '../../test/support/session'
import { loadMachine } from '../profiles/index'
import { MIB, NS_PER_S } from '../util/units'
import { KUBELET_DEFAULTS } from '../profiles/index'
import { advise, type AdviseHooks } from './advise'
import { programs, realEngine } from './real-engine'

const LEAK = `kind: Pod
metadata: {name: a}
spec:
  containers:
    - {name: app, command: [leak, --base=24M, --rate=0], resources: {limits: {memory: 16Mi}}}
`

function ask(text: string, hooks: Partial<AdviseHooks> = {}, more: { container?: string } = {}) {
  const profile = loadMachine(VM_512M, 'vm-512m.json')
  if (!profile.ok) throw new Error(profile.error.message)
  const request = {
    text,
    fileName: 'a.yaml',
    profile: profile.value,
    seed: 3,
    container: '',
    workload: '',
    forNs: 5 * NS_PER_S,
    options: KUBELET_DEFAULTS,
    ...more,
  }
  return advise(
    request,
    { engine: realEngine(), programs },
    { onProgress: () => {}, isCancelled: () => false, ...hooks },
  )
}

test('a limit below what a program holds kills it, and the knee lies where it does not; the suggestion was tried too', async () => {
  const told: number[] = []
  const report = await ask(LEAK, { onProgress: ({ done }) => told.push(done) })
  if (!report.ok) throw new Error(report.error.message)
  const { points, kneeBytes, suggestedBytes, unlimited, verdict, ownBytes, yaml, systemd } = report.value
  expect({ verdict, ownBytes }).toEqual({ verdict: 'killed', ownBytes: 16 * MIB })
  expect(told).toEqual(told.map((_, i) => i + 1))
  expect(unlimited.kills).toBe(0)
  expect(kneeBytes).toBeGreaterThan(24 * MIB)
  expect(kneeBytes).toBeLessThanOrEqual(Math.ceil(unlimited.peakBytes / MIB) * MIB)
  for (const point of points)
    expect(point.verdict === 'holds', `${point.limitBytes / MIB} MiB`).toBe(point.limitBytes >= kneeBytes!)
  expect(suggestedBytes! % (4 * MIB)).toBe(0)
  expect(points.map((point) => point.limitBytes)).toContain(suggestedBytes)
  expect(yaml).toBe(LEAK.replace('16Mi', `${suggestedBytes! / MIB}Mi`))
  expect(systemd).toContain(`MemoryMax=${suggestedBytes! / MIB}M\n`)
})

test('what cannot be tried is refused before a machine runs; a cancelled sweep says so', async () => {
  expect(await ask('kind: Gateway\n')).toMatchObject({ ok: false, error: { code: 'import/not-a-pod' } })
  expect(await ask(LEAK, {}, { container: 'b' })).toMatchObject({ error: { fix: 'There are a/app.' } })
  expect(await ask(LEAK, { isCancelled: () => true })).toMatchObject({ error: { code: 'advise/cancelled' } })
})

test('a session without a machine answers, and its window can cancel', async () => {
  const { client } = testSession({ engine: realEngine(), programs })
  const waiting = client.request({
    kind: 'advise',
    text: LEAK,
    fileName: 'a.yaml',
    profile: 'vm-512m',
    seed: 3,
    container: '',
    workload: '',
    forNs: 5 * NS_PER_S,
    options: KUBELET_DEFAULTS,
  })
  const paused = client.request({ kind: 'pause' })
  expect(await waiting).toMatchObject({ ok: false, error: { code: 'advise/cancelled' } })
  expect((await paused).ok).toBe(true)
})
