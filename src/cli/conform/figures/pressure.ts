/**
 * Global pressure: what the parameters of a case fix whatever the timing. Counts of runs, quick sleeps and stalls vary
 * from run to run on real kernels and are not compared.
 * @spec 11 §5, §10
 */
import type { CaseFiles, CaseTraits, Figure } from '../figure'
import { parsePcpCount, parseVmstat } from '../parse/tables'

const ZONES = ['DMA', 'DMA32', 'Normal', 'Movable'] as const
const PAGES_PER_MB = 256

export function pressureFigures(files: CaseFiles, traits: CaseTraits): Figure[] {
  const added = difference(files['before/vmstat'] ?? '', files['after/vmstat'] ?? '')
  const stolen = added('pgsteal_kswapd') + added('pgsteal_direct')
  const stalls = added('allocstall_normal') + added('allocstall_movable')
  const isDone = /^hog done$/m.test(files['exit.txt'] ?? '')
  const figures: Figure[] = [
    { name: 'anon pages scanned', value: added('pgscan_anon') },
    { name: 'file pages stolen', value: added('pgsteal_file') },
    { name: 'stalls counted for DMA and DMA32', value: added('allocstall_dma') + added('allocstall_dma32') },
    { name: 'stolen by kswapd and tasks less stolen of anon and file', value: stolen - stolenByType(added) },
    { name: 'kswapd steals more than tasks', value: added('pgsteal_kswapd') > added('pgsteal_direct') ? 'yes' : 'no' },
    { name: 'file pages scanned for each stolen', value: ratio(added('pgscan_file'), added('pgsteal_file')) },
  ]
  // Two of four captures end in an OOM kill: whether young pages are rotated before 17 fruitless rounds.
  const { swappiness, fpass } = traits.parameters
  if (traits.lru === 'classic' && swappiness === '0' && fpass === '3') return figures
  figures.push({ name: 'hog', value: isDone ? 'done' : 'killed' })
  if (!isDone) return figures
  figures.push({ name: 'anon pages stolen', value: added('pgsteal_anon') })
  figures.push({ name: 'pages stolen', value: stolen })
  if (traits.lru === 'mglru') {
    figures.push({ name: 'anon pages scanned for each stolen', value: ratio(added('pgscan_anon'), stolenAnon(added)) })
    figures.push({ name: 'pages stolen in a stall', value: ratio(added('pgsteal_direct'), stalls) })
  }
  // The buffers of a trace are allocated between the snapshots.
  if (traits.parameters['trace'] === undefined) figures.push({ name: 'balance', value: balance(files, traits, added) })
  return [...figures, ...retouchFigures(files, added('pgsteal_anon'))]
}

type Added = (counter: string) => number

function difference(before: string, after: string): Added {
  const [from, to] = [parseVmstat(before), parseVmstat(after)]
  return (counter) => (to[counter] ?? 0) - (from[counter] ?? 0)
}

const stolenAnon = (added: Added): number => added('pgsteal_anon')
const stolenByType = (added: Added): number => added('pgsteal_anon') + added('pgsteal_file')
/** Thousandths; 0 of nothing. */
const ratio = (a: number, b: number): number => (b === 0 ? 0 : Math.round((1000 * a) / b) / 1000)

/** Free pages and those of per-CPU lists. */
const freeAnd = (files: CaseFiles, when: 'before' | 'after'): number =>
  (parseVmstat(files[`${when}/vmstat`] ?? '')['nr_free_pages'] ?? 0) +
  ZONES.reduce((sum, zone) => sum + parsePcpCount(files[`${when}/zoneinfo`] ?? '', zone), 0)

/**
 * What the hog and its page tables took, less what was free, stolen and not read back: pages that the scripts themselves
 * took meanwhile. 70 to 265 in 26 captures.
 */
function balance(files: CaseFiles, traits: CaseTraits, added: Added): number {
  const hogMb = Number(traits.parameters['hog'] ?? 0)
  const needed = PAGES_PER_MB * hogMb + Math.floor(hogMb / 2)
  const stolen = added('pgsteal_kswapd') + added('pgsteal_direct')
  return freeAnd(files, 'before') - freeAnd(files, 'after') + stolen - added('pswpin') - needed
}

/** The idle pages are read again after the hog has gone: they come back in clusters. */
function retouchFigures(files: CaseFiles, anonStolen: number): Figure[] {
  const before = files['vmstat-before-retouch']
  const after = files['vmstat-after-retouch']
  if (before === undefined || after === undefined || anonStolen === 0) return []
  const added = difference(before, after)
  return [
    { name: 'retouch: read from swap for each stolen', value: ratio(added('pswpin'), anonStolen) },
    { name: 'retouch: pages read for each major fault', value: ratio(added('pswpin'), added('pgmajfault')) },
    { name: 'retouch: workingset_refault_anon less pswpin', value: added('workingset_refault_anon') - added('pswpin') },
  ]
}
