/**
 * "Why is kswapd busy?": what the counters of the last seconds say, read in the order in which an engineer would, each
 * with its threshold, and a verdict that follows from them. Pure; thresholds are rules of thumb and stand in the text.
 */
import { formatCount, formatPercent, formatRate, joinFigure } from '../../format'

/** Differences over the window, and levels at its end. Pages, unless the name says otherwise. */
export interface Readings {
  readonly seconds: number
  readonly kswapdPercent: number
  readonly failures: number
  readonly scanKswapd: number
  readonly scanDirect: number
  readonly stealKswapd: number
  readonly stealDirect: number
  readonly scanAnon: number
  readonly scanFile: number
  readonly stealAnon: number
  readonly stealFile: number
  readonly refaultAnon: number
  readonly refaultFile: number
  readonly allocstall: number
  readonly pswpin: number
  readonly pswpout: number
  readonly free: number
  readonly min: number
  readonly low: number
  readonly high: number
  readonly anon: number
  readonly file: number
  readonly swapTotal: number
  readonly swapFree: number
  /** Percent, avg10. */
  readonly psiSome: number
  readonly psiFull: number
}

/** The numbers that divide normal from not; each stands in the table beside what it judges. */
export const THRESHOLDS = {
  /** Percent of one CPU. */
  kswapdBusy: 5,
  kswapdHot: 30,
  /** Percent of the scanned pages that tasks scanned themselves. */
  directShare: 10,
  /** Percent of the scanned pages that were freed. */
  efficiencyGood: 60,
  efficiencyPoor: 30,
  /** Percent of the freed pages that were wanted again. */
  refaults: 20,
  /** Percent of the freed pages. */
  mostly: 70,
  /** A second. */
  allocstall: 1,
  psiSome: 10,
  psiFull: 5,
} as const

export type Tone = 'ok' | 'warn' | 'danger' | ''

export interface Evidence {
  readonly id: string
  readonly what: string
  readonly reading: string
  readonly tone: Tone
  /** How the reading is judged, with the threshold. */
  readonly rule: string
  readonly command: string
}

const T = THRESHOLDS
const n = formatCount
const share = (part: number, whole: number): number => (whole <= 0 ? 0 : (part / whole) * 100)
const percent = (value: number): string => joinFigure(formatPercent(value))

export const scanned = (r: Readings): number => r.scanKswapd + r.scanDirect
export const stolen = (r: Readings): number => r.stealKswapd + r.stealDirect
export const directShare = (r: Readings): number => share(r.scanDirect, scanned(r))
/** Of global reclaim. */
export const efficiencyOf = (r: Readings): number => share(stolen(r), scanned(r))
export const refaultShare = (r: Readings): number => share(r.refaultAnon + r.refaultFile, r.stealAnon + r.stealFile)
/** Scanned because of a group's limit: what is in pgscan_anon and pgscan_file and in no pgscan of a reclaimer. */
export const limitScans = (r: Readings): number => Math.max(0, r.scanAnon + r.scanFile - scanned(r))

const above = (value: number, warn: number, danger: number): Tone =>
  value >= danger ? 'danger' : value >= warn ? 'warn' : 'ok'

/** Who works, and whether anybody waits. */
function whoRows(r: Readings, nid: number): readonly Evidence[] {
  const isScanning = scanned(r) > 0
  return [
    {
      id: 'cpu',
      what: 'kswapd on a CPU',
      reading: percent(r.kswapdPercent),
      tone: above(r.kswapdPercent, T.kswapdBusy, T.kswapdHot),
      rule: `busy from ${T.kswapdBusy} %, hot from ${T.kswapdHot} % of one CPU`,
      command: `top -b -n 1 | grep kswapd${nid}`,
    },
    {
      id: 'marks',
      what: 'free pages and watermarks',
      reading: `${n(r.free)} free; min ${n(r.min)}, low ${n(r.low)}, high ${n(r.high)}`,
      tone: r.free <= r.min ? 'danger' : r.free <= r.low ? 'warn' : 'ok',
      rule: 'kswapd starts below low and works up to high; below min tasks reclaim themselves',
      command: `grep -E 'Node|free|min|low|high' /proc/zoneinfo`,
    },
    {
      id: 'who',
      what: 'who scans',
      reading: `kswapd ${n(r.scanKswapd)}, tasks ${n(r.scanDirect)} pages`,
      tone: isScanning ? above(directShare(r), T.directShare, 50) : 'ok',
      rule: `tasks ${percent(directShare(r))} of it: they should do under ${T.directShare} %`,
      command: `grep -E 'pgscan_(kswapd|direct) ' /proc/vmstat`,
    },
    {
      id: 'stalls',
      what: 'allocations that had to wait',
      reading: `${n(r.allocstall)} (${joinFigure(formatRate(r.allocstall / r.seconds))})`,
      tone: above(r.allocstall / r.seconds, T.allocstall, 100 * T.allocstall),
      rule: `each is a task in direct reclaim: under ${T.allocstall} a second`,
      command: `grep allocstall /proc/vmstat`,
    },
  ]
}

/** What came of the work. */
function workRows(r: Readings): readonly Evidence[] {
  const isScanning = scanned(r) > 0
  const freed = r.stealAnon + r.stealFile
  return [
    {
      id: 'efficiency',
      what: 'freed of what was scanned',
      reading: isScanning ? `${n(stolen(r))} of ${n(scanned(r))}, ${percent(efficiencyOf(r))}` : '–',
      tone:
        !isScanning || efficiencyOf(r) >= T.efficiencyGood
          ? 'ok'
          : efficiencyOf(r) >= T.efficiencyPoor
            ? 'warn'
            : 'danger',
      rule: `good from ${T.efficiencyGood} %, in vain below ${T.efficiencyPoor} %`,
      command: `grep -E 'pg(scan|steal)_(kswapd|direct) ' /proc/vmstat`,
    },
    {
      id: 'kind',
      what: 'what was freed',
      reading: `anon ${n(r.stealAnon)}, file ${n(r.stealFile)} pages`,
      tone: '',
      rule: freed === 0 ? 'nothing was freed' : `${percent(share(r.stealFile, freed))} of it page cache`,
      command: `grep -E 'pgsteal_(anon|file) ' /proc/vmstat`,
    },
    {
      id: 'refaults',
      what: 'freed too early',
      reading: `refaults: anon ${n(r.refaultAnon)}, file ${n(r.refaultFile)}`,
      tone: above(refaultShare(r), T.refaults, 2 * T.refaults),
      rule: `${percent(refaultShare(r))} of what was freed: thrashing from ${T.refaults} %`,
      command: `grep workingset_refault /proc/vmstat`,
    },
    {
      id: 'swap',
      what: 'swap',
      reading:
        r.swapTotal === 0
          ? 'none'
          : `${n(r.swapFree)} of ${n(r.swapTotal)} pages free; in ${n(r.pswpin)}, out ${n(r.pswpout)}`,
      tone: r.swapTotal > 0 && r.swapFree * 10 < r.swapTotal ? 'warn' : '',
      rule: r.swapTotal === 0 ? 'anonymous pages cannot leave' : 'under 10 % free the rest goes to few pages',
      command: `grep -E 'pswp' /proc/vmstat; free -m`,
    },
    {
      id: 'psi',
      what: 'time lost to memory (PSI)',
      reading: `some ${r.psiSome.toFixed(2)} %, full ${r.psiFull.toFixed(2)} %`,
      tone: r.psiFull >= T.psiFull ? 'danger' : r.psiSome >= T.psiSome ? 'warn' : 'ok',
      rule: `avg10: some under ${T.psiSome} %, full under ${T.psiFull} %`,
      command: 'cat /proc/pressure/memory',
    },
    {
      id: 'limits',
      what: 'scanned for limits of groups',
      reading: `${n(limitScans(r))} pages`,
      tone: limitScans(r) > scanned(r) && limitScans(r) > 0 ? 'warn' : '',
      rule: 'pgscan_anon + pgscan_file, less what kswapd and tasks scanned',
      command: `grep -H max /sys/fs/cgroup/*/memory.events`,
    },
  ]
}

/** Rows in the order in which one looks. */
export const evidence = (r: Readings, nid: number): readonly Evidence[] => [...whoRows(r, nid), ...workRows(r)]

export interface Verdict {
  readonly id: string
  readonly says: string
  readonly because: string
  readonly helps: string
}

interface Rule extends Omit<Verdict, 'because'> {
  readonly holds: (r: Readings) => boolean
  readonly because: (r: Readings) => string
}

const RULES: readonly Rule[] = [
  {
    id: 'hopeless',
    says: 'kswapd has given up: the node has nothing that it could free.',
    holds: (r) => r.failures >= 16,
    because: (r) =>
      `${r.failures} runs in a row freed nothing; ${r.swapTotal === 0 ? 'there is no swap' : `${n(r.swapFree)} pages of swap are free`}`,
    helps: 'Less memory in use, or swap. Every allocation reclaims for itself until then, and the OOM killer is near.',
  },
  {
    id: 'thrashing',
    says: 'Thrashing: pages are freed and wanted again at once.',
    holds: (r) => stolen(r) + limitScans(r) > 0 && r.refaultAnon + r.refaultFile >= 64 && refaultShare(r) >= T.refaults,
    because: (r) =>
      `${percent(refaultShare(r))} of what was freed came back, mostly ${r.refaultAnon > r.refaultFile ? 'anonymous pages' : 'page cache'}`,
    helps:
      'The working set does not fit: more memory, less of it in use, or protect it with memory.low. Swappiness only chooses which half thrashes.',
  },
  {
    id: 'no-swap',
    says: 'Only page cache can be freed, and little of it is left.',
    holds: (r) => r.swapTotal === 0 && scanned(r) > 0 && r.anon > 2 * r.file,
    because: (r) => `no swap, ${n(r.anon)} anonymous pages against ${n(r.file)} of page cache`,
    helps:
      'Swap, even a small one or zram, lets cold anonymous pages leave. Without it program text is read again and again before the OOM killer comes.',
  },
  {
    id: 'behind',
    says: 'kswapd does not keep up: tasks reclaim for themselves.',
    holds: (r) => scanned(r) > 0 && directShare(r) >= T.directShare,
    because: (r) => `tasks did ${percent(directShare(r))} of the scanning, ${n(r.allocstall)} allocations waited`,
    helps:
      'Wake it earlier with vm.watermark_scale_factor, or let bursts be smaller: below min there is no time left for it.',
  },
  {
    id: 'in-vain',
    says: 'It scans in vain: most pages that it looks at stay.',
    holds: (r) => scanned(r) > 0 && efficiencyOf(r) < T.efficiencyPoor,
    because: (r) =>
      `${percent(efficiencyOf(r))} of the scanned pages were freed at once; the others were in use, dirty or on their way to swap`,
    helps: 'See in Runs what held them: kept and activated pages are in use, written ones wait for the swap device.',
  },
  {
    id: 'limits',
    says: 'The work is done for the limits of groups, not by kswapd.',
    holds: (r) => limitScans(r) > scanned(r),
    because: (r) => `${n(limitScans(r))} pages were scanned for limits, ${n(scanned(r))} for the machine`,
    helps:
      'Look at memory.events of the groups: max counts charges that met the limit. The machine itself is not short.',
  },
  {
    id: 'streaming',
    says: 'Normal: files stream through the page cache, and kswapd throws old pages away.',
    holds: (r) => scanned(r) > 0 && share(r.stealFile, r.stealAnon + r.stealFile) >= T.mostly,
    because: (r) =>
      `${percent(share(r.stealFile, r.stealAnon + r.stealFile))} of what was freed is page cache, ${percent(refaultShare(r))} of it came back`,
    helps: 'Nothing is wrong. Its CPU time is the price of the I/O; O_DIRECT or POSIX_FADV_DONTNEED would save it.',
  },
  {
    id: 'swapping',
    says: 'Memory is short: cold anonymous pages go to swap.',
    holds: (r) => scanned(r) > 0 && r.stealAnon + r.stealFile > 0,
    because: (r) =>
      `anonymous pages are ${percent(share(r.stealAnon, r.stealAnon + r.stealFile))} of what was freed, ${n(r.pswpout)} were written, ${n(r.pswpin)} read back`,
    helps: 'As long as few come back this is what swap is for. Watch refaults and PSI.',
  },
]

const IDLE: Verdict = {
  id: 'idle',
  says: 'kswapd has nothing to do.',
  because: 'Nothing was scanned in this time',
  helps: 'Free memory is above low. Run something that needs more, or choose a longer time.',
}

/** All that holds, the gravest first; the first one is the verdict. */
export function verdicts(r: Readings): readonly Verdict[] {
  const found = RULES.filter(({ holds }) => holds(r)).map(({ id, says, because, helps }) => ({
    id,
    says,
    because: because(r),
    helps,
  }))
  // The two last ones explain what is not explained otherwise.
  const grave = found.filter(({ id }) => id !== 'streaming' && id !== 'swapping')
  if (grave.length > 0) return grave
  return found.length > 0 ? found.slice(0, 1) : [IDLE]
}
