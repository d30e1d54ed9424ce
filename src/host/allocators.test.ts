import { expect, test } from 'vitest'
import { VM_512M } from '../../test/support/session'
import { slabsView, buddyView, sysctlTrial } from './allocators'
import { createHeadless, type Headless } from './headless'
import { RECORD_ALL } from './machine'
import { programs, realEngine } from './real-engine'
import { loadMachine, toConfig } from '../profiles/index'
import type { GetBuddy } from '../protocol/allocators'
import { queryEvents } from '../recorder/events'
import type { Result } from '../util/result'

const PAGES = '/sys/kernel/debug/pagewalk/pages'
const QUESTION: GetBuddy = {
  kind: 'getBuddy',
  nid: 0,
  zone: 'DMA32',
  order: 7,
  type: 1,
  cpu: 0,
  withPageblocks: false,
}

function machine(): Headless {
  const profile = loadMachine(VM_512M, 'vm-512m.json')
  if (!profile.ok) throw new Error(profile.error.message)
  return createHeadless(toConfig(profile.value), 7, { engine: realEngine(), programs, record: RECORD_ALL })
}
function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

test('the matrix is /proc/buddyinfo of the same moment, and pageblocks are counted when asked for', () => {
  const m = machine()
  const view = valueOf(buddyView(m.state(), { ...QUESTION, withPageblocks: true }))
  const file = m.readFile('/proc/buddyinfo')
  const rows = file.ok ? file.value.trim().split('\n') : []
  expect(view.areas.map((area) => area.nrFree)).toEqual(
    rows.map((row) =>
      row
        .replace(/^.*zone +\w+ +/, '')
        .trim()
        .split(/ +/)
        .map(Number),
    ),
  )
  expect(view.pageblocks!.reduce((sum, n) => sum + n, 0)).toBeGreaterThan(200)
  expect(valueOf(buddyView(m.state(), QUESTION)).pageblocks).toBeUndefined()
})

test('a zone or a list that is not there is refused, and a block outside of the zone has no story', () => {
  const state = machine().state()
  expect(buddyView(state, { ...QUESTION, zone: 'Movable' })).toMatchObject({
    ok: false,
    error: { code: 'host/no-zone' },
  })
  expect(buddyView(state, { ...QUESTION, order: 11 })).toMatchObject({ ok: false, error: { code: 'host/no-list' } })
  expect(valueOf(buddyView(state, { ...QUESTION, block: { pfn: 1, order: 0 } })).merge).toEqual([])
})

test('splits and merges are recorded for pages by hand, also those of a shell, and for nobody else', async () => {
  const m = machine()
  const steps = (): string[] =>
    queryEvents(m.machine.recorder!.events, {
      fromNs: 0,
      toNs: Infinity,
      names: ['buddy_split', 'buddy_merge'],
      limit: 999,
    }).map((event) => `${event.name} ${event.fields['order_low'] ?? event.fields['order']}`)
  await m.runScript('cat /proc/meminfo')
  expect(steps()).toEqual([])
  expect(m.writeFile(PAGES, 'alloc order=7 gfp=GFP_HIGHUSER_MOVABLE\n').ok).toBe(true)
  expect(steps()).toEqual(['buddy_split 7'])
  await m.runScript(`echo free id=1 > ${PAGES}`)
  expect(steps().filter((step) => step.startsWith('buddy_merge'))[0]).toBe('buddy_merge 7')
  const nr = steps().length
  await m.runScript('for i in 1 2 3; do cat /proc/vmstat > /tmp/x; done')
  expect(steps()).toHaveLength(nr)
})

test('a cache is opened by a name that was merged into it; an object by hand says who holds it', () => {
  const m = machine()
  m.writeFile('/sys/kernel/debug/pagewalk/objects', 'alloc cache=dentry\n')
  const held = m.readFile('/sys/kernel/debug/pagewalk/objects')
  const pfn = Number(/pfn=(\d+)/.exec(held.ok ? held.value : '')![1])
  const view = valueOf(slabsView(m.state(), { kind: 'getSlabs', cache: 'dentry', pfn }))
  expect(view.cache!.name).toBe('dentry')
  expect(view.slab!.list.some((object) => object.owner.includes('by hand'))).toBe(true)
  expect(view.slab!.list.filter((object) => object.state === 'used').every((object) => object.position === -1)).toBe(
    true,
  )
  expect(valueOf(slabsView(m.state(), { kind: 'getSlabs', cache: 'no such', pfn: 0 }))).toMatchObject({
    cache: undefined,
    slab: undefined,
  })
})

test('a sysctl that would be refused is refused with the words of the file', () => {
  const state = machine().state()
  const trial = (name: string, text: string) => sysctlTrial(state, { kind: 'trySysctl', name, text })
  expect(trial('vm.watermark_scale_factor', '9000')).toMatchObject({
    ok: false,
    error: { code: 'EINVAL', message: 'Invalid argument.' },
  })
  expect(trial('vm.watermark_scale_factor', '100').ok).toBe(true)
})
