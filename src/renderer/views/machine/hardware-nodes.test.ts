import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { formatMachine, loadMachine, type MachineProfile } from '../../../profiles'
import { GIB, MIB } from '../../../util/units'
import { withField } from './hardware'
import { distancesOf, moveStep, nodeBytes, withMemoryMoved, withNodeShape } from './hardware-nodes'

const read = (name: string): MachineProfile =>
  JSON.parse(readFileSync(`resources/machines/${name}.json`, 'utf8')) as MachineProfile

/** As it would be saved and opened again. */
function reopened(profile: MachineProfile): MachineProfile {
  const loaded = loadMachine(formatMachine(profile), 'again.json')
  if (!loaded.ok) throw new Error(`${loaded.error.where}: ${loaded.error.message}`)
  return loaded.value
}

describe('a hand on the nodes', () => {
  const two = read('numa-2x4g')

  test('memory moves to the neighbour, none is lost, and both keep the least', () => {
    expect(nodeBytes(withMemoryMoved(two, 0, GIB))).toEqual([3 * GIB, 5 * GIB])
    expect(nodeBytes(withMemoryMoved(two, 0, -GIB))).toEqual([5 * GIB, 3 * GIB])
    expect(nodeBytes(withMemoryMoved(two, 0, 9 * GIB))).toEqual([64 * MIB, 8 * GIB - 64 * MIB])
    expect(moveStep(two)).toBe(64 * MIB)
  })

  test('a node that is memory alone has no CPU and lies farther', () => {
    const three = withNodeShape(two, 'node.addMemory', Number.NaN)
    expect(three.nodes.map(({ cpus }) => cpus)).toEqual(['0-1', '2-3', ''])
    expect(distancesOf(three)[2]).toEqual([30, 30, 10])
    expect(distancesOf(three)[0]).toEqual([10, 21, 30])
  })

  test('a node that is removed takes its row and column along, and CPUs are numbered anew', () => {
    const asym = read('numa-4x1g-asym')
    const less = withNodeShape(asym, 'node.remove.0', Number.NaN)
    expect(less.nodes).toHaveLength(3)
    expect(distancesOf(less)).toEqual(
      distancesOf(asym)
        .slice(1)
        .map((row) => row.slice(1)),
    )
    expect(less.nodes[0]!.cpus.startsWith('0')).toBe(true)
    expect(withNodeShape(read('vm-512m'), 'node.remove.0', 0).nodes).toHaveLength(1)
  })

  test('what was drawn can be saved and opened again: eight nodes of 128 GiB, one made of memory alone', () => {
    const big = withNodeShape(read('server-8x128g'), 'node.addMemory', Number.NaN)
    const moved = withField(big, 'node.move.0', String(32 * GIB))
    expect(moved.ok && nodeBytes(reopened(moved.value)).slice(0, 2)).toEqual([96 * GIB, 160 * GIB])
  })

  test.each([
    ['9', /10/],
    ['300', /255|254/],
  ])('a distance of %s is refused with what would be accepted', (text, wanted) => {
    const next = withField(two, 'distance.0.1', text)
    const loaded = next.ok ? loadMachine(formatMachine(next.value), 'x.json') : next
    expect(loaded.ok ? '' : `${loaded.error.message} ${loaded.error.fix}`).toMatch(wanted)
  })
})
