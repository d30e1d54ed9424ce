// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick } from 'vue'
import { KEYS } from '../keys'
import { FAKE_MACHINES } from '../testing/fake-frames'
import { withStores } from '../testing/stores'
import { useActions } from './actions'
import { useLabs } from './labs'
import { useSession } from './session'
import { useTimeline } from './timeline'
import { useUi } from './ui'

const S = 1e9
const PROFILE = FAKE_MACHINES[0]!.profile

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
})
afterEach(() => vi.useRealTimers())

const pulls = (asked: readonly { kind: string }[]): number => asked.filter(({ kind }) => kind === 'getSeries').length

test('a refusal becomes one line that names the place and the fix', async () => {
  withStores()
  const session = useSession()
  await session.writeFile('/sys/fs/cgroup/lab/memory.max', 'lots')
  expect(session.trouble).toBe('/sys/fs/cgroup/lab/memory.max: lots is no size. Write bytes, 100M or max.')
})

test('a step back by an event is a step of minus one; a step back in time never passes boot', async () => {
  const client = withStores({ startNs: 5e6 })
  const session = useSession()
  await session.boot(PROFILE)
  session.stepId = 'event'
  await session.stepBack()
  expect(client.asked.at(-1)).toEqual({ kind: 'step', by: { events: -1 } })
  session.stepId = '10ms'
  await session.stepBack()
  expect(client.asked.at(-1)).toEqual({ kind: 'seek', atNs: 0 })
})

test('another speed while it runs is told to the machine at once, while it pauses only at the next run', async () => {
  const client = withStores()
  const session = useSession()
  await session.boot(PROFILE)
  await session.setSpeed(10)
  expect(client.asked.some(({ kind }) => kind === 'play')).toBe(false)
  client.say({ kind: 'status', status: { ...session.status!, running: true } })
  await session.setSpeed(Infinity)
  expect(client.asked.at(-1)).toEqual({ kind: 'play', speed: Infinity })
})

test('the timeline asks only for what a mounted chart needs, in one request', async () => {
  const client = withStores({ startNs: 46 * S })
  const timeline = useTimeline()
  await useSession().boot(PROFILE)
  const scope = effectScope()
  scope.run(() => {
    timeline.need(['zone:0:DMA32:free'])
    timeline.need(['psi:some:avg10', 'zone:0:DMA32:free'])
  })
  await vi.advanceTimersByTimeAsync(200)
  const asked = client.asked.findLast((request) => request.kind === 'getSeries')
  expect(asked).toMatchObject({ names: ['psi:some:avg10', 'zone:0:DMA32:free'], fromNs: 36 * S, toNs: 46 * S })
  expect(timeline.data.series).toHaveLength(2)

  scope.stop()
  const before = pulls(client.asked)
  timeline.panBy(-S)
  await vi.advanceTimersByTimeAsync(500)
  expect(pulls(client.asked)).toBe(before)
})

test('however fast the clock ticks, the timeline is read at most ten times a second', async () => {
  const client = withStores({ startNs: 40 * S })
  const timeline = useTimeline()
  const session = useSession()
  await session.boot(PROFILE)
  effectScope().run(() => timeline.need(['zone:0:DMA32:free']))
  await vi.advanceTimersByTimeAsync(300)
  const before = pulls(client.asked)
  for (let i = 0; i < 100; i++) {
    client.say({ kind: 'status', status: { ...session.status!, nowNs: 40 * S + i * 1e7, endNs: 40 * S + i * 1e7 } })
    await vi.advanceTimersByTimeAsync(10)
  }
  expect(pulls(client.asked) - before).toBeGreaterThan(5)
  expect(pulls(client.asked) - before).toBeLessThanOrEqual(11)
})

test('looking closer stops following; following again lets the pin go', async () => {
  withStores({ startNs: 46 * S })
  const timeline = useTimeline()
  await useSession().boot(PROFILE)
  timeline.zoomAt(0.5, 42 * S)
  timeline.pin(42 * S)
  expect(timeline.isFollowing).toBe(false)
  expect(timeline.cursorNs).toBe(42 * S)
  timeline.follow(true)
  expect(timeline.cursorNs).toBe(46 * S)
})

test('another machine leaves nothing of the old one on the timeline', async () => {
  withStores({ startNs: 46 * S })
  const timeline = useTimeline()
  const session = useSession()
  await session.boot(PROFILE)
  const scope = effectScope()
  scope.run(() => timeline.need(['zone:0:DMA32:free']))
  await vi.advanceTimersByTimeAsync(200)
  scope.stop()
  await session.reset()
  await nextTick()
  expect(timeline.data.times).toHaveLength(0)
  expect(timeline.spans).toHaveLength(0)
})

test('every key of the table that is not a view’s own has its action', async () => {
  withStores()
  await useSession().loadMachines()
  await useLabs().load()
  const ids = new Set(useActions().all.map((action) => action.id))
  const ofViews = new Set(['table-twin', ...KEYS.map((row) => row.action).filter((id) => /^(view|map)-/.test(id))])
  expect(KEYS.map((row) => row.action).filter((id) => !ids.has(id) && !ofViews.has(id))).toEqual([])
})

test('no two actions share an id', async () => {
  withStores()
  await useSession().loadMachines()
  await useLabs().load()
  const ids = useActions().all.map((action) => action.id)
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
})

test('an action that cannot run now does not run', () => {
  const client = withStores()
  expect(useActions().run('run-pause')).toBe(false)
  expect(client.asked).toEqual([])
})

test('the theme is put on the page and kept', () => {
  withStores()
  useUi().setTheme('dark')
  expect(document.documentElement.dataset['theme']).toBe('dark')
  withStores()
  expect(useUi().theme).toBe('dark')
})

test('a run that no file has is not thrown away unasked', async () => {
  const client = withStores()
  const session = useSession()
  const actions = useActions()
  await session.boot(PROFILE)
  actions.run('reset')
  expect(client.asked.at(-1)).toEqual({ kind: 'reset' })

  await session.stepForward()
  actions.boot('laptop-16g', '{}')
  const boots = (): number => client.asked.filter(({ kind }) => kind === 'boot').length
  expect(boots()).toBe(1)
  expect(useUi().leaving?.title).toBe('Boot laptop-16g')
  useUi().leaving?.go()
  expect(boots()).toBe(2)
})

test.each(['boot', 'reset'] as const)('a lab ends with its machine: %s closes it', async (way) => {
  withStores()
  const labs = useLabs()
  await labs.start('10-containers')
  await nextTick()
  expect(labs.progress?.id).toBe('10-containers')
  await (way === 'boot' ? useSession().boot(PROFILE) : useSession().reset())
  await nextTick()
  expect(labs.progress).toBeUndefined()
})
