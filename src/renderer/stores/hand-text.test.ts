import { expect, test } from 'vitest'
import { explanationIn, parseHand, parsePages } from './hand-text'

test('rows of what is held, with their keys, and the way of the last operation', () => {
  const text = parseHand(
    '1 0x000001483840 pfn=5251 cache=dentry bytes=192 path=alloc_fastpath\n' +
      '4 0x000001484000 pfn=5252 cache=filp bytes=256 path=alloc_slab\n# last: alloc 4 alloc_slab\n',
  )
  expect(text.held.map(({ id, address, pfn }) => [id, address, pfn])).toEqual([
    [1, 0x1483840, 5251],
    [4, 0x1484000, 5252],
  ])
  expect(text.held[1]!.values).toMatchObject({ cache: 'filp', bytes: '256' })
  expect(text.last).toEqual({ verb: 'alloc', id: 4, path: 'alloc_slab' })
})

test('an empty file holds nothing', () => {
  expect(parseHand('')).toEqual({ held: [], last: undefined })
  expect(parseHand('# last: free 1\n').last).toEqual({ verb: 'free', id: 1, path: '' })
})

test('the explanation is the last line of the log that speaks of the file', () => {
  const log = '[ 1.0] pagewalk/pages: old\n[ 2.0] pagewalk/objects: there is no cache\n[ 3.0] eth0: up\n'
  expect(explanationIn(log, 'objects')).toBe('there is no cache')
  expect(explanationIn(log, 'kmalloc')).toBe('')
})

test('rows of pages: a block, and one that still waits', () => {
  const text =
    '    id pfn          order migratetype node zone                time gfp\n' +
    '     1 0x2700           3 Unmovable      0 DMA32           2.000000 0xcc0(GFP_KERNEL)\n' +
    '     2 waiting         10 Movable     1 to go              2.000000 0x100cca(GFP_HIGHUSER_MOVABLE)\n'
  expect(parsePages(text)).toEqual([
    { id: 1, pfn: 0x2700, order: 3, type: 'Unmovable', nid: 0, zone: 'DMA32', gfp: '0xcc0(GFP_KERNEL)' },
    {
      id: 2,
      pfn: 0,
      order: 10,
      type: 'Movable',
      nid: -1,
      zone: 'waiting',
      gfp: '0x100cca(GFP_HIGHUSER_MOVABLE)',
    },
  ])
})
