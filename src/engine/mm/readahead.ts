/**
 * Read-ahead windows of files: how many pages a read or a mapped fault brings in, and where the marker goes that
 * starts the next window. Pure arithmetic; filemap.ts does the I/O.
 * @kernel  mm/readahead.c
 * @spec    04 §4.5
 */
import type { Pages } from '../../util/units'
import type { KernelSeries } from '../config'
import type { Readahead } from '../task'

/** read_ahead_kb = 128. */
export const RA_PAGES_MAX: Pages = 32

export const createReadahead = (): Readahead => ({ start: 0, size: 0, asyncSize: 0, mmapMiss: 0, prevIndex: -1 })

/** First window of a stream, from the size of the request. @kernel get_init_ra_size() */
export function initialWindow(request: Pages, max: Pages): Pages {
  let size = 1
  while (size < request) size *= 2
  if (size <= Math.floor(max / 32)) return size * 4
  if (size <= Math.floor(max / 4)) return size * 2
  return max
}

/** @kernel get_next_ra_size() */
export function nextWindow(current: Pages, max: Pages): Pages {
  if (current < Math.floor(max / 16)) return 4 * current
  if (current <= Math.floor(max / 2)) return 2 * current
  return max
}

/** Whether 6.1 takes a page for the next one of the window's stream. @kernel ondemand_readahead() before 6.11 */
const isNext = (ra: Readahead, index: number): boolean =>
  ra.size > 0 && (index === ra.start + ra.size - ra.asyncSize || index === ra.start + ra.size)

/**
 * A page was not in the cache: sets the window to read. Linux 6.1 sees a stream too where the page follows the last window,
 * or would have been its marker, and goes on from there.
 * @kernel  page_cache_sync_ra(); before 6.11 ondemand_readahead()
 */
export function syncReadahead(
  ra: Readahead,
  index: number,
  request: Pages,
  hasHistory: boolean,
  series: KernelSeries = '6.12',
): void {
  const max = RA_PAGES_MAX
  if (series === '6.1' && index > 0 && isNext(ra, index)) {
    ra.start += ra.size
    ra.size = nextWindow(ra.size, max)
    ra.asyncSize = ra.size
    // The marker would be met at once: the window behind it is read along.
    if (index === ra.start) {
      const add = nextWindow(ra.size, max)
      ra.asyncSize = ra.size + add <= max ? add : max / 2
      ra.size = Math.min(ra.size + add, max)
    }
    return
  }
  if (index === 0 || request > max || hasHistory || index === ra.prevIndex || index === ra.prevIndex + 1) {
    ra.start = index
    ra.size =
      index === 0 || index === ra.prevIndex + 1 || index === ra.prevIndex
        ? initialWindow(request, max)
        : Math.min(request, max)
    ra.asyncSize = ra.size > request ? ra.size - request : ra.size
    return
  }
  // A random read: just what was asked for, and the state is left alone for the stream that may come.
  ra.start = index
  ra.size = Math.min(request, max)
  ra.asyncSize = 0
}

/**
 * The marked page was reached: sets the next window. Linux 6.1 also takes the first page behind the window for the next of
 * a stream, and where no page is missing it ends its search one short, on a page that is there, and reads on from it.
 * @kernel  page_cache_async_ra(); before 6.11 ondemand_readahead(), page_cache_next_miss()
 */
export function asyncReadahead(
  ra: Readahead,
  index: number,
  request: Pages,
  nextMissing: (from: number, limit: number) => number,
  series: KernelSeries = '6.12',
): boolean {
  const max = RA_PAGES_MAX
  const expected = ra.start + ra.size - ra.asyncSize
  if (series === '6.1' ? isNext(ra, index) : ra.size > 0 && index === expected) {
    ra.start += ra.size
    ra.size = nextWindow(ra.size, max)
    ra.asyncSize = ra.size
    return true
  }
  const missing = nextMissing(index + 1, max)
  const start = missing < 0 && series === '6.1' ? index + max : missing
  if (start < 0 || start - index > max) return false
  ra.start = start
  ra.size = nextWindow(start - index + request, max)
  ra.asyncSize = ra.size
  return true
}
