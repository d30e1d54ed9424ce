import { expect, test } from 'vitest'
import { fakePreview, fakeZones } from '../../testing/fake-frames'
import { addressRows } from './address-table'

test('zones and holes stand by address, and memory leaves the holes out', () => {
  const machine = { preview: fakePreview(), zones: fakeZones(0) }
  const rows = addressRows(machine)
  const starts = rows.map((row) => row.startBytes)
  expect(starts).toEqual([...starts].sort((a, b) => a - b))
  expect(rows.filter((row) => row.zone).map((row) => row.what)).toEqual(['DMA', 'DMA32'])
  expect(rows).toHaveLength(machine.zones.length + machine.preview.holes.length)
  const fitted = machine.preview.nodes.flatMap((node) => node.ranges)
  expect(rows.reduce((sum, row) => sum + row.memoryBytes, 0)).toBeLessThanOrEqual(
    fitted.reduce((sum, range) => sum + range.endBytes - range.startBytes, 0),
  )
})
