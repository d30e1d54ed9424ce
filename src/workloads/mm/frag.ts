/** `mm frag`: gives back all pages but each n-th, so that free memory is crumbs between pages that can move. */
import { stdout, type Step } from '../steps'
import { flagFile, waitForFlag } from './flag'
import { MB, PG, alignedRegionSteps, commonSteps, createData, longOption, type MmData } from './options'

type S = Step<FragData>

interface FragData extends MmData {
  /** Page under work. */
  at: number
  freed: number
}

export const createFrag = (args: readonly string[]): FragData => ({
  ...createData(args),
  bytes: longOption(args, 'mb', 256) * MB,
  at: 0,
  freed: 0,
})

const pages = (d: FragData): number => d.bytes / PG
const keepOf = (d: FragData): number => Math.max(1, longOption(d.args, 'keep', 2))

/** One page after the other is given back, all but each `keep`-th. */
const freeLoop: S = (d) => {
  if (d.at % keepOf(d) === 0) d.at++
  if (d.at >= pages(d)) return undefined
  d.pc--
  d.freed++
  return { op: 'madvise', address: d.address + d.at++ * PG, length: PG, advice: 'dontneed' }
}

export const fragSteps: readonly S[] = [
  ...(commonSteps as readonly S[]),
  ...(alignedRegionSteps as readonly S[]),
  (d) => ({ op: 'madvise', address: d.address, length: d.bytes, advice: 'nohugepage' }),
  (d) => ({ op: 'touch', address: d.address, length: d.bytes, mode: 'write' }),
  (d) => stdout(`touched pages=${pages(d)}\n`),
  ...(flagFile('frag.touched') as readonly S[]),
  ...(waitForFlag('frag.go') as readonly S[]),
  freeLoop,
  (d) => stdout(`kept=${pages(d) - d.freed} freed=${d.freed}\n`),
  ...(flagFile('frag.freed') as readonly S[]),
  ...(waitForFlag('frag.end') as readonly S[]),
]
