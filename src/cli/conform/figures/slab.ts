/** Slab caches: every attribute that a kernel computes, of every cache, and the links of merged ones. */
import type { CaseFiles, Figure } from '../figure'

const COMPARED = ['object_size', 'slab_size', 'align', 'objs_per_slab', 'order', 'cpu_partial', 'min_partial'] as const
const FLAGS = ['aliases', 'cache_dma', 'reclaim_account'] as const

/** base/slab-attrs.tsv: one figure a cache; slabinfo: names, order and sizes of its rows. */
export function slabFigures(files: CaseFiles): Figure[] {
  const figures: Figure[] = []
  const [head = '', ...lines] = (files['base/slab-attrs.tsv'] ?? '').trim().split('\n')
  const names = head.split('\t')
  const links: string[] = []
  for (const line of lines) {
    if (line.startsWith('#')) continue
    if (line.includes(' -> ')) {
      links.push(line)
      continue
    }
    const cells = line.split('\t')
    const value = [...COMPARED, ...FLAGS].map((name) => `${name} ${cells[names.indexOf(name)]}`).join(', ')
    figures.push({ name: `slab cache ${cells[0]}`, value })
  }
  if (links.length > 0) figures.push({ name: 'slab links', value: links.sort() })
  const rows = (files['base/slabinfo'] ?? '').trim().split('\n').slice(2)
  if (rows.length > 0) figures.push({ name: 'slabinfo rows', value: rows.map(slabinfoRow) })
  return figures
}

/** 'dentry 192 21 1': what a row says of the cache's shape. */
function slabinfoRow(line: string): string {
  const words = line.split(/\s+/)
  return [words[0], ...words.slice(3, 6)].join(' ')
}
