import { describe, expect, test } from 'vitest'
import { addAnonPages, addFilePages, letTimePass, lruState, newFile, newSpace } from '../../../../test/lru-state'
import { debugDir } from '../../procfs/debugfs'
import { sysDir } from '../../procfs/sysfs'
import type { KernelState } from '../../state'
import { GFP_KERNEL } from '../gfp'
import { checkLru } from '../lru_check'
import { lruvecOf } from '../lruvec'
import { PGSTEAL_FILE, PSWPOUT, vmEvent } from '../vmstat'
import { reclaimPages } from '../vmscan'
import { mglruPolicy } from './mglru'
import { runsView } from './runs_view'
import { createScanControl } from './scan_control'

const write = (state: KernelState, text: string): unknown => debugDir.file(state, 'lru_gen')!.write!(state, text, 1)
const genOf = (state: KernelState) => lruvecOf(state, 1, 0).gen

function machine(): KernelState {
  const state = lruState({ mglru: true, swapSlots: 4000 })
  addAnonPages(state, newSpace(state).mm, 300)
  addFilePages(state, newFile(state, 1000), 1000)
  return state
}

describe('debugfs lru_gen', () => {
  test('+ opens a generation after the youngest, which must be named', () => {
    const state = machine()
    expect(write(state, '+ 1 0 3\n')).toBeUndefined()
    expect(genOf(state).maxSeq).toBe(4)
    // An older one has been aged already; a younger one does not exist.
    expect([write(state, '+ 1 0 3'), write(state, '+ 1 0 9')]).toEqual([undefined, 'EINVAL'])
    expect(genOf(state).maxSeq).toBe(4)
    // With four generations the oldest has to make room: not unless it is forced.
    expect([write(state, '+ 1 0 4 1 0'), write(state, '+ 1 0 4 1 1')]).toEqual(['ERANGE', undefined])
    expect(checkLru(state)).toEqual([])
  })
  test('− evicts generations up to the one that is named, and no more pages than that', () => {
    const state = machine()
    expect(write(state, '- 1 0 1 0 100')).toBeUndefined()
    expect([vmEvent(state.vmstat, PGSTEAL_FILE), vmEvent(state.vmstat, PSWPOUT)]).toEqual([128, 0])
    expect(write(state, '- 1 0 1 0')).toBeUndefined()
    expect(vmEvent(state.vmstat, PGSTEAL_FILE)).toBe(1000)
    expect(runsView(state, { nid: 0, groups: [], most: 1 })[0]).toMatchObject({ asked: 'lru_gen', nrReclaimed: 872 })
    expect(checkLru(state)).toEqual([])
  })
  test('the two youngest generations, unknown groups and nodes, and nonsense are refused; earlier commands hold', () => {
    const state = machine()
    for (const text of ['- 1 0 2', '- 99 0 0', '+ 1 7 3', '* 1 0 3', '+ 1 0', '- 1 0 0 201', '+ 1 0 3 1 1 1'])
      expect([text, write(state, text)]).toEqual([text, 'EINVAL'])
    expect(write(state, '+ 1 0 3; nonsense')).toBe('EINVAL')
    expect(genOf(state).maxSeq).toBe(4)
  })
})

describe('min_ttl_ms', () => {
  const file = (state: KernelState) => sysDir.file(state, 'kernel/mm/lru_gen/min_ttl_ms')!
  const age = (state: KernelState): void => {
    const wish = { kind: 'kswapd', target: 0, nrToReclaim: 100, order: 0, gfp: GFP_KERNEL, reclaimIdx: 3 } as const
    const sc = createScanControl(wish)
    mglruPolicy.ageNode(state, sc, 0)
  }
  test('is kept in ticks of 4 ms', () => {
    const state = machine()
    expect(file(state).write!(state, '1001\n', 1)).toBeUndefined()
    expect(file(state).read!(state, 1, true)).toBe('1004\n')
    expect(file(state).write!(state, '-1', 1)).toBe('EINVAL')
  })
  test('0 never kills; otherwise the OOM killer comes while the oldest generation is younger', () => {
    const state = machine()
    Object.assign(state, { boot: { totalPages: 100_000 }, taskList: [], tasks: {} })
    Object.assign(state.sysctl, { panicOnOom: 0, oomKillAllocatingTask: 0, oomDumpTasks: 0 })
    age(state)
    expect(state.panicked).toBe('')
    letTimePass(state, 2_000_000_000)
    file(state).write!(state, '1000', 1)
    age(state)
    expect(state.panicked).toBe('')
    // Nobody is there to be killed: that it came shows in the panic.
    for (let i = 0; i < 4; i++) write(state, `+ 1 0 ${genOf(state).maxSeq}`)
    age(state)
    expect(state.panicked).toContain('System is deadlocked on memory')
  })
})

test('MADV_PAGEOUT is a run of its own in the record', () => {
  const state = lruState({ swapSlots: 1000 })
  const pfns = addAnonPages(state, newSpace(state).mm, 70)
  reclaimPages(state, pfns, GFP_KERNEL)
  const [run] = runsView(state, { nid: 0, groups: [], most: 1 })
  expect(run).toMatchObject({ asked: 'MADV_PAGEOUT', wanted: 70, nrScanned: 70 })
  expect(run!.passes).toHaveLength(1)
  expect(run!.passes[0]!.written).toEqual([70, 0])
})
