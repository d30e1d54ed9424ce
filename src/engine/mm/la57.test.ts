import { expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import { checkInvariants } from '../check'
import { addressHalf } from '../fault_signal'
import { tableLevel } from './pgtable'
import { walkView } from './walk_view'

const ANON = 0x22
const PAGE = 4096
const WINDOW = 2 ** 47 - PAGE
/** Beyond what a double counts bytewise. */
const HIGH = 2 ** 55 + 2 ** 40

const start = (fiveLevelPaging: boolean): { m: TaskMachine; pid: number } => {
  const m = new TaskMachine({ fiveLevelPaging })
  return { m, pid: m.spawn() }
}
const mmap = (m: TaskMachine, pid: number, address: number, flags = ANON, length = 8 * PAGE) =>
  m.perform(pid, { op: 'mmap', address, length, prot: 3, flags })

test('with five levels nothing lies above 2^47 until an address there is asked for', () => {
  const { m, pid } = start(true)
  expect(m.map(pid, 8)).toBeLessThan(WINDOW)
  expect(mmap(m, pid, 2 ** 46).result).toBe(2 ** 46)
  expect(mmap(m, pid, HIGH).result).toBe(HIGH)
  // The hint is no place, but it says that the caller knows of such addresses.
  expect(mmap(m, pid, 2 ** 64).result).toBeGreaterThan(2 ** 55)
  // A mapping lies on one side.
  expect(mmap(m, pid, WINDOW - PAGE).result).toBeLessThan(WINDOW)
  expect(mmap(m, pid, 2 ** 56 - PAGE, ANON | 0x10, PAGE).errno).toBe('ENOMEM')
  expect(mmap(m, pid, 2 ** 56 - 2 * PAGE, ANON | 0x10, PAGE).errno).toBe('')
  expect(checkInvariants(m.state)).toEqual([])
})

test('with four levels a hint above 2^47 is passed over, and a fixed address there refused', () => {
  const { m, pid } = start(false)
  expect(mmap(m, pid, HIGH).result).toBeLessThan(WINDOW)
  expect(mmap(m, pid, HIGH, ANON | 0x10).errno).toBe('ENOMEM')
})

test('a page beyond 2^53 is found by its page number through five tables, of which VmPTE counts three', () => {
  const { m, pid } = start(true)
  const before = m.number(`/proc/${pid}/status`, 'VmPTE')
  const tables = m.number('/proc/meminfo', 'PageTables')
  const { result: address } = mmap(m, pid, HIGH)
  const touched = m.perform(pid, { op: 'touch', address: address + PAGE, length: PAGE, mode: 'write' })
  expect(touched).toMatchObject({ died: -1, minflt: 1, result: 1 })
  const mm = m.state.mms[m.task(pid).mm]!
  expect(tableLevel(m.state.pgtables, mm.pgd)).toBe(5)
  const walk = walkView(m.state, mm, BigInt(HIGH) + 0x1003n)
  expect(walk.steps.map(({ name }) => name)).toEqual(['PGD', 'P4D', 'PUD', 'PMD', 'PTE'])
  expect(walk.end).toBe('page')
  expect(walk.fields.map(({ name }) => name)).toEqual(['sign', 'PGD', 'P4D', 'PUD', 'PMD', 'PTE', 'offset'])
  expect(m.number(`/proc/${pid}/status`, 'VmPTE') - before).toBe(12)
  expect(m.number('/proc/meminfo', 'PageTables') - tables).toBe(16)
  expect(m.read(`/proc/${pid}/maps`)).toContain('80010000000000-80010000008000 rw-p')
  expect(m.perform(pid, { op: 'munmap', address, length: 8 * PAGE }).errno).toBe('')
  expect(m.number('/proc/meminfo', 'PageTables')).toBe(tables)
  expect(checkInvariants(m.state)).toEqual([])
})

test('a fork copies what lies above 2^47, and mremap moves it below', () => {
  const { m, pid } = start(true)
  const { result: address } = mmap(m, pid, HIGH)
  m.perform(pid, { op: 'touch', address, length: 8 * PAGE, mode: 'write' })
  m.perform(pid, { op: 'fork', child: { wanted: undefined } })
  const to = 2 ** 40
  const moved = m.perform(pid, {
    op: 'mremap',
    address,
    oldLength: 8 * PAGE,
    newLength: 8 * PAGE,
    flags: 3,
    newAddress: to,
  })
  expect(moved).toMatchObject({ errno: '', result: to })
  expect(m.perform(pid, { op: 'touch', address: to, length: 8 * PAGE, mode: 'read' }).minflt).toBe(0)
  expect(checkInvariants(m.state)).toEqual([])
})

test.each([
  [false, 2 ** 47, 'hole'],
  [true, 2 ** 47, 'user'],
  [true, 2 ** 56, 'hole'],
  [true, 2 ** 64 - 2 ** 56, 'kernel'],
  [false, 2 ** 64 - 2 ** 56, 'hole'],
] as const)('five levels %s: %d lies in the %s', (five, address, half) => {
  expect(addressHalf(start(five).m.state, address)).toBe(half)
})
