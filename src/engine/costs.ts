/**
 * Nanoseconds that each event costs on the reference machine: the one table that a profile can replace row by row.
 * @spec    04 §4.3, with the sources named there
 */
import type { Ns } from '../util/units'

export const DEFAULT_COSTS = {
  /** Memory access that hits the TLB and a cache. */
  access: 1,
  /** Translation that misses the first level of the TLB and hits the second. */
  tlbL2Hit: 2,
  /** One page walk with warm tables, and one whose leaf entry comes from DRAM. Walks of a fault are part of its cost. */
  pageWalk: 10,
  pageWalkCold: 100,
  /** Interrupting another CPU for a flush and waiting for it; each further one. */
  tlbShootdown: 1_500,
  tlbShootdownCpu: 300,
  /** Anonymous first write of 4 KiB, zeroing included. */
  anonFault: 700,
  zeroPageFault: 400,
  /** Page-cache page or copy-on-write reuse. */
  minorFault: 500,
  cowFault: 1000,
  majorFaultEntry: 600,
  fillPage: 250,
  forkPage: 60,
  forkVma: 1000,
  forkBase: 30_000,
  execBase: 300_000,
  exitPage: 25,
  syscall: 150,
  mmapCall: 1_500,
  /** Kernel side of one page copied between the page cache and a buffer. */
  copyPage: 300,
  pcpAlloc: 50,
  zoneLock: 200,
  /** Scanning one page and reclaiming one clean page. */
  scanPage: 150,
  reclaimPage: 350,
  /**
   * One look at a group's lists at one priority: its protection, what share each list gets, the shrinkers. Not in spec
   * 04 §4.3; without it seventeen fruitless rounds take no time, and nobody else can make progress meanwhile.
   */
  shrinkLruvec: 1_000,
  /** Submitting one page to the block layer. */
  submitPage: 900,
  reclaimEntry: 2_000,
  /** A name that is not in memory: directory entry and inode are read from cached blocks. @model a few thousand cycles */
  lookupMiss: 2_000,
  /** A shrinker looks at one object, and frees it. @model as a page that is scanned */
  shrinkObject: 150,
  /** vmalloc: finding a range of addresses; mapping or unmapping one page; flushing every CPU's TLB. @model as munmap's */
  vmallocArea: 1_000,
  mapKernelPage: 60,
  flushTlbAll: 5_000,
  oomKill: 200_000,
  contextSwitch: 1_500,
  /** What a page access costs more when its frame is on a node at distance 20. @spec 04 §4.3: DRAM 85 local, 140 remote */
  remoteAccess: 55,
  /** NUMA balancing takes one entry's access away. @model as unmapping a page without freeing it */
  numaScanPte: 20,
  shellBuiltin: 20_000,
  zero2MiB: 100_000,
  /** First touch of 2 MiB with a huge page, zeroing included. */
  thpFault: 120_000,
  /** A PMD entry becomes 512 PTEs. @model 512 entries and map counts of cached lines */
  splitPmd: 5_000,
  /** A huge page becomes 512 pages. @model 512 struct pages, unmapped and mapped again */
  splitPage: 30_000,
} as const satisfies Record<string, Ns>

export type CostName = keyof typeof DEFAULT_COSTS
export type CostTable = Readonly<Record<CostName, Ns>>

/** Rows that hold one way into the kernel and back. */
const ENTRIES = [
  'syscall',
  'anonFault',
  'zeroPageFault',
  'minorFault',
  'cowFault',
  'majorFaultEntry',
  'thpFault',
] as const satisfies readonly CostName[]
/** Page-table isolation: both ways write CR3 and change the stack. @spec 04 §4.3 (a fault's entry and exit 100, KPTI 300) */
const PTI_ENTRY_NS: Ns = 200

/**
 * @param overrides  rows as they were measured: nothing is added to them
 * @param isPti      page-table isolation is on
 * @model  a table, because the kernel's own costs depend on the machine
 */
export function createCosts(overrides: Readonly<Record<string, Ns>>, isPti = false): CostTable {
  const costs: Record<CostName, Ns> = { ...DEFAULT_COSTS }
  if (isPti) for (const name of ENTRIES) costs[name] += PTI_ENTRY_NS
  return { ...costs, ...overrides }
}

/** libc start-up and argument parsing of a small program. */
export const PROGRAM_START_NS: Ns = 400_000
