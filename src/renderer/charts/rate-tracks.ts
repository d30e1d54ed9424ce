/** The tracks of rates: which counters each line is made of. A new track of rates is a row here. */

export type RateColor = 'kswapd' | 'direct' | 'memcg' | 'anon' | 'file'

export interface RateLine {
  readonly name: string
  /** Series → weight in the sum. */
  readonly terms: Readonly<Record<string, number>>
  readonly color: RateColor
  readonly isDashed: boolean
}

/** One line as a share of another, at the cursor. */
export interface RateShare {
  readonly label: string
  readonly part: string
  readonly whole: string
}

export interface RateTrack {
  readonly id: string
  readonly title: string
  readonly unit: string
  /** Said by screen readers: what the shape means. */
  readonly description: string
  readonly lines: readonly RateLine[]
  readonly shareTitle: string
  readonly shares: readonly RateShare[]
}

const one = (name: string, color: RateColor, isDashed: boolean): RateLine => ({
  name,
  terms: { [`vmstat:${name}`]: 1 },
  color,
  isDashed,
})

/** The kernel has no counter of its own for the scans of a group's limit: the sums by kind of page less those by who. */
const ofMemcg = (verb: string, isDashed: boolean): RateLine => ({
  name: `${verb} memcg`,
  terms: {
    [`vmstat:${verb}_anon`]: 1,
    [`vmstat:${verb}_file`]: 1,
    [`vmstat:${verb}_kswapd`]: -1,
    [`vmstat:${verb}_direct`]: -1,
    [`vmstat:${verb}_khugepaged`]: -1,
  },
  color: 'memcg',
  isDashed,
})

/** Kilobytes that went through block devices less those of swap, as pages. */
const ofFiles = (name: string, kilobytes: string, swapped: string, isDashed: boolean): RateLine => ({
  name,
  terms: { [`vmstat:${kilobytes}`]: 0.25, [`vmstat:${swapped}`]: -1 },
  color: 'file',
  isDashed,
})

/** Scan solid, steal dotted, in the colour of who does it. */
export const SCAN_TRACK: RateTrack = {
  id: 'rates',
  title: 'Scan and steal',
  unit: 'pages a second',
  description: 'Pages scanned and stolen a second. Scanned far above stolen means that reclaim works hard for little.',
  lines: [
    one('pgscan_kswapd', 'kswapd', false),
    one('pgsteal_kswapd', 'kswapd', true),
    one('pgscan_direct', 'direct', false),
    one('pgsteal_direct', 'direct', true),
    ofMemcg('pgscan', false),
    ofMemcg('pgsteal', true),
  ],
  shareTitle: 'steal/scan',
  shares: [
    { label: 'kswapd', part: 'pgsteal_kswapd', whole: 'pgscan_kswapd' },
    { label: 'direct', part: 'pgsteal_direct', whole: 'pgscan_direct' },
    { label: 'memcg', part: 'pgsteal memcg', whole: 'pgscan memcg' },
  ],
}

const KIND_TRACK: RateTrack = {
  id: 'kinds',
  title: 'Anon and file',
  unit: 'pages a second',
  description:
    'Pages scanned and stolen a second by kind, whoever does it: what swappiness and the cost of each kind decide between.',
  lines: [
    one('pgscan_anon', 'anon', false),
    one('pgsteal_anon', 'anon', true),
    one('pgscan_file', 'file', false),
    one('pgsteal_file', 'file', true),
  ],
  shareTitle: 'steal/scan',
  shares: [
    { label: 'anon', part: 'pgsteal_anon', whole: 'pgscan_anon' },
    { label: 'file', part: 'pgsteal_file', whole: 'pgscan_file' },
  ],
}

const REFAULT_TRACK: RateTrack = {
  id: 'refaults',
  title: 'Refaults',
  unit: 'pages a second',
  description:
    'Pages a second that came back after they had been evicted, and those of them that went straight to the active pages. As many refaults as steals means thrashing.',
  lines: [
    { ...one('workingset_refault_anon', 'anon', false), name: 'refault anon' },
    { ...one('workingset_activate_anon', 'anon', true), name: 'activate anon' },
    { ...one('workingset_refault_file', 'file', false), name: 'refault file' },
    { ...one('workingset_activate_file', 'file', true), name: 'activate file' },
  ],
  shareTitle: 'to active',
  shares: [
    { label: 'anon', part: 'activate anon', whole: 'refault anon' },
    { label: 'file', part: 'activate file', whole: 'refault file' },
  ],
}

const IO_TRACK: RateTrack = {
  id: 'io',
  title: 'Swap and file I/O',
  unit: 'pages a second',
  description:
    'Pages a second read from and written to swap, and to block devices for files. Swap in and swap out together means that what leaves is needed again.',
  lines: [
    one('pswpin', 'anon', false),
    one('pswpout', 'anon', true),
    ofFiles('files in', 'pgpgin', 'pswpin', false),
    ofFiles('files out', 'pgpgout', 'pswpout', true),
  ],
  shareTitle: '',
  shares: [],
}

export const RATE_TRACKS: readonly RateTrack[] = [SCAN_TRACK, KIND_TRACK, REFAULT_TRACK, IO_TRACK]
