import { expect, test } from 'vitest'
import type { SlabObject } from '../../../protocol/allocators'
import { countObjects, objectGrid, objectWords } from './objects'

const object = (state: SlabObject['state'], more: Partial<SlabObject> = {}): SlabObject => ({
  address: 0x1000,
  state,
  position: -1,
  cgroup: '',
  owner: '',
  ...more,
})

test('an object in use says who holds it and who pays', () => {
  expect(objectWords(object('used'))).toBe('in use')
  expect(objectWords(object('used', { owner: 'task 7 (sh)', cgroup: '/a' }))).toBe('in use: task 7 (sh), charged to /a')
})

test('a free object says on which list it is and how soon it is handed out', () => {
  expect(objectWords(object('free on cpu', { position: 0 }))).toBe("free, handed out next from the CPU's freelist")
  expect(objectWords(object('free on slab', { position: 4 }))).toBe("free, 5. on the slab's freelist")
})

test('cells are as wide as all objects leave room for', () => {
  const box = { width: 780, height: 84 }
  expect(objectGrid(21, box)).toEqual({ columns: 12, cellPx: 64 })
  expect(objectGrid(85, box)).toEqual({ columns: 27, cellPx: 28 })
  expect(objectGrid(512, box)).toEqual({ columns: 55, cellPx: 14 })
  expect(objectGrid(1, box)).toEqual({ columns: 1, cellPx: 64 })
})

test('objects are counted by where they are', () => {
  const list = [object('used'), object('free on cpu'), object('free on slab'), object('used')]
  expect(countObjects(list)).toEqual({ used: 2, onCpu: 1, onSlab: 1 })
})
