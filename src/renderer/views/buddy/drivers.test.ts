import { expect, test } from 'vitest'
import { loadText, parseDrivers } from './drivers'

const TEXT = `pw_atomic: a driver that asks for blocks
  order=2  order of each block, 0 to 10
  rate=100  requests a second, 1 to 10000
  loaded asked=7 failed=1 held=6
pw_dma: a driver with buffers in ZONE_DMA
  bytes=65536  size of a buffer, 4096 to 4194304
`

test('each module has its parameters, and counts when it is loaded', () => {
  const [atomic, dma] = parseDrivers(TEXT)
  expect(atomic!.counts).toEqual({ asked: 7, failed: 1, held: 6 })
  expect(atomic!.params.map(({ name, value }) => `${name}=${value}`)).toEqual(['order=2', 'rate=100'])
  expect(dma).toEqual({
    name: 'pw_dma',
    description: 'a driver with buffers in ZONE_DMA',
    params: [{ name: 'bytes', value: '65536', meaning: 'size of a buffer, 4096 to 4194304' }],
    counts: undefined,
  })
  expect(parseDrivers('')).toEqual([])
})

test('only what differs from the default is written', () => {
  const [, dma] = parseDrivers(TEXT)
  expect(loadText(dma!, {})).toBe('load pw_dma')
  expect(loadText(dma!, { bytes: ' 65536 ' })).toBe('load pw_dma')
  expect(loadText(dma!, { bytes: '8192', rate: '5' })).toBe('load pw_dma bytes=8192')
})
