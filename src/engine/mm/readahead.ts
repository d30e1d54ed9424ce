/**
 * Read-ahead windows of files: how many pages a read or a mapped fault brings in, and where the marker goes that
 * starts the next window. Pure arithmetic; filemap.ts does the I/O.
 * @kernel  mm/readahead.c
 * @spec    04 §4.5
 */
import type { Pages } from '../../util/units'
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

/** A page was not in the cache: sets the window to read. @kernel page_cache_sync_ra() */
export function syncReadahead(ra: Readahead, index: number, request: Pages, hasHistory: boolean): void {
  const max = RA_PAGES_MAX
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

/** The marked page was reached: sets the next window. @kernel page_cache_async_ra() */
export function asyncReadahead(
  ra: Readahead,
  index: number,
  request: Pages,
  nextMissing: (from: number, limit: number) => number,
): boolean {
  const max = RA_PAGES_MAX
  const expected = ra.start + ra.size - ra.asyncSize
  if (ra.size > 0 && index === expected) {
    ra.start += ra.size
    ra.size = nextWindow(ra.size, max)
    ra.asyncSize = ra.size
    return true
  }
  const start = nextMissing(index + 1, max)
  if (start < 0 || start - index > max) return false
  ra.start = start
  ra.size = nextWindow(start - index + request, max)
  ra.asyncSize = ra.size
  return true
}
