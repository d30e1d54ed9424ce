import { describe, expect, test } from 'vitest'
import { captureText, staticCaptures, type Capture } from '../../../test/static-captures'
import { slabCacheTable } from './slab_cache_facts'
import { calculateOrder, slabGeometry, slabSize } from './slub_size'

describe('orders of spec 03 §3.2', () => {
  test.each([
    [1, '0/42 0/21 0/16 0/8 1/8 2/8 3/8 3/4'],
    [2, '0/42 0/21 0/16 1/16 2/16 3/16 3/8 3/4'],
    [4, '0/42 0/21 0/16 1/16 2/16 3/16 3/8 3/4'],
    [8, '0/42 0/21 1/32 2/32 3/32 3/16 3/8 3/4'],
    [16, '0/42 1/42 1/32 2/32 3/32 3/16 3/8 3/4'],
    [64, '0/42 1/42 1/32 2/32 3/32 3/16 3/8 3/4'],
    [128, '0/42 1/42 2/64 3/64 3/32 3/16 3/8 3/4'],
  ])('%i CPUs', (cpus, expected) => {
    for (const series of ['6.1', '6.12'] as const) {
      const got = [96, 192, 256, 512, 1024, 2048, 4096, 8192].map((size) => {
        const { order, objects } = slabGeometry(size, cpus, series)
        return `${order}/${objects}`
      })
      expect(got.join(' ')).toBe(expected)
    }
  })

  test('an object larger than a slab of order 3 gets a slab of its own', () => {
    expect(calculateOrder(40_000, 4, '6.12')).toBe(4)
    expect(calculateOrder(40_000, 4, '6.1')).toBe(4)
  })

  test('limits of spec 03 §3.3', () => {
    expect(slabGeometry(256, 2, '6.12')).toMatchObject({ cpuPartial: 52, cpuPartialSlabs: 7, minPartial: 5 })
    expect(slabGeometry(192, 2, '6.12')).toMatchObject({ cpuPartial: 120, cpuPartialSlabs: 12 })
    expect(slabGeometry(4096, 2, '6.12')).toMatchObject({ cpuPartial: 6, cpuPartialSlabs: 2, minPartial: 6 })
  })

  test('the free pointer goes behind an object that must keep its contents', () => {
    expect(slabSize(1160, 8, false)).toBe(1160)
    expect(slabSize(1160, 8, true)).toBe(1168)
    expect(slabSize(184, 64, true)).toBe(192)
    expect(slabSize(128, 64, true)).toBe(192)
  })
})

/** What a capture says of its caches that are not links: name → attributes; and its links. */
function readAttrs(capture: Capture): { caches: Map<string, Record<string, number>>; links: string[] } {
  const [head = '', ...lines] = captureText(capture, 'base/slab-attrs.tsv').trim().split('\n')
  const names = head.split('\t').slice(1, -1)
  const caches = new Map<string, Record<string, number>>()
  const links: string[] = []
  for (const line of lines) {
    if (line.startsWith('#')) continue
    if (line.includes(' -> ')) links.push(line)
    else {
      const [name = '', ...values] = line.split('\t')
      caches.set(name, Object.fromEntries(names.map((key, i) => [key, Number(values[i])])))
    }
  }
  return { caches, links }
}

describe.each(staticCaptures().map((c) => [c.name, c] as const))('%s', (_name, capture) => {
  const release = /Linux version (\S+)/.exec(captureText(capture, 'base/version'))![1]!
  const series = release.startsWith('6.1.') ? '6.1' : '6.12'
  const cpus = Number(captureText(capture, 'base/ncpu'))
  const nodes = captureText(capture, 'base/nodes.txt').match(/^== node/gm)!.length
  const table = slabCacheTable({ series, release })
  const real = readAttrs(capture)

  test('the table names every cache, computes every size and order, and links every merged name', () => {
    const ours = new Map(
      table.map(([name, id, objectSize, align, flags]) => {
        const bytes = name === 'kmem_cache' ? objectSize + 8 * nodes : objectSize
        const { size, order, objects, minPartial, cpuPartial } = slabGeometry(
          slabSize(bytes, align, flags.includes('F')),
          cpus,
          series,
        )
        const attributes = {
          object_size: bytes,
          slab_size: size,
          align,
          objs_per_slab: objects,
          order,
          cpu_partial: cpuPartial,
          min_partial: minPartial,
          cache_dma: Number(flags.includes('d')),
          reclaim_account: Number(flags.includes('a')),
        }
        return [id === '' ? name : id, attributes] as const
      }),
    )
    expect([...ours.keys()].sort()).toEqual([...real.caches.keys()].sort())
    for (const [name, attributes] of ours)
      expect({ name, ...real.caches.get(name) }).toMatchObject({ name, ...attributes })
    const links = table.flatMap(([, id, , , , , , aliases]) =>
      aliases
        .split(' ')
        .filter((a) => a !== '')
        .map((a) => `${a} -> ${id}`),
    )
    expect(links.sort()).toEqual(real.links.sort())
  })

  test('slabinfo lists the caches from the newest to the oldest', () => {
    const rows = captureText(capture, 'base/slabinfo').trim().split('\n').slice(2)
    expect(rows.map((row) => row.split(/\s+/)[0])).toEqual(table.map(([name]) => name).reverse())
  })
})
