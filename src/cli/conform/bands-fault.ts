/**
 * Bands of the page-fault cases. Counts of faults repeat exactly but where a phase holds the first writes to the
 * program's own pages after a fork.
 * @spec 11 §3
 */
import { exact, near, type Band, type BandRow } from './band'
import type { CaseTraits } from './figure'

const isFault = (t: CaseTraits): boolean => t.kind === '3-fault'
const isBatched = (t: CaseTraits): boolean => isFault(t) && t.series === '6.1'

/** A 6.1 kernel adds a task's sizes up after 64 faults: up to 63 pages, or 63 windows of 16, are not told yet, here and there. */
const UNTOLD = 2 * 63 * 4
const UNTOLD_WINDOWS = UNTOLD * 16
const oneOrTwo: Band = { kind: 'range', min: 1, max: 2 }

export const FAULT_BANDS: readonly BandRow[] = [
  {
    cases: isFault,
    figure: / (?:parent_fork2?|parent_wait_child3) minflt$/,
    band: oneOrTwo,
    reason: 'pages of the stack that the parent writes after the fork: 1 or 2, by where the random stack begins',
  },
  {
    cases: isFault,
    figure: /^22-.* faults$/,
    band: near(12),
    reason:
      'rules give 1757; 1 to 10 more in three captures, 10 fewer in one: pages still locked when a window is mapped',
  },
  {
    cases: isBatched,
    figure: / RssAnon change$/,
    band: near(UNTOLD),
    reason: 'up to 63 faults of a task are not yet in its sizes',
  },
  {
    cases: isBatched,
    figure: / Rss(?:File|Shmem) change$/,
    band: near(UNTOLD_WINDOWS),
    reason: 'up to 63 faults of a task are not yet in its sizes, 16 pages each with fault-around',
  },
  {
    cases: isBatched,
    figure: / VmPTE change$/,
    band: near(8),
    reason: 'one table more where the region crosses 1 GiB, and one where its top lies in a 2 MiB of its own: random',
  },
  {
    cases: isFault,
    figure: / VmPTE change$/,
    band: near(4),
    reason: 'one table more where the region crosses 1 GiB: random addresses (200 and 204 in captures of one test)',
  },
  {
    cases: isFault,
    figure: / counts pgpgin$/,
    band: near(136),
    reason: 'metadata of ext4 that is read again after drop_caches',
  },
  {
    cases: isFault,
    figure: /./,
    band: exact,
    reason: 'one fault a page, a window or a huge page; equal in all captures',
  },
]
