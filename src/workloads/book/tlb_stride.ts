/** tlb_stride: one access a page, over more and more pages: what an access costs tells how far the TLB reaches. */
import type { Step } from '../steps'
import { MIB, PAGE, bookForks, define, keepAddress, printf, type BookData } from './source'

const source = `/* What an access costs when it touches one page after another: with few pages the TLB knows them all, with many it has
 * to walk the page tables for each. "./tlb_stride huge" does the same with huge pages. */
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#define MEBIBYTES 64
#define PAGE 4096
#define ACCESSES 65536
#define FEWEST 16
#define TIMES 4

static long now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000L + at.tv_nsec;
}

static void read_each(volatile char *data, long pages)
{
    for (long page = 0; page < pages; page++)
        (void)data[page * PAGE];
}

int main(int argc, char **argv)
{
    size_t size = (size_t)MEBIBYTES << 20;
    (void)argv;
    volatile char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    madvise((void *)data, size, argc > 1 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    for (size_t at = 0; at < size; at += PAGE)
        data[at] = 1; /* all pages are there: no faults from here on */

    for (long pages = FEWEST; pages * PAGE <= (long)size; pages *= TIMES) {
        long rounds = ACCESSES / pages;
        read_each(data, pages); /* what fits into the TLB is in it now */
        long start = now();
        for (long round = 0; round < rounds; round++)
            read_each(data, pages);
        long ns = (now() - start) / (rounds * pages / 10); /* in tenths */
        printf("%6ld pages %6ld kB: %ld.%ld ns an access\\n", pages, pages * PAGE / 1024, ns / 10, ns % 10);
    }
    return 0;
}
`

const size = define(source, 'MEBIBYTES') * MIB
const accesses = define(source, 'ACCESSES')
const [fewest, times] = [define(source, 'FEWEST'), define(source, 'TIMES')]

interface StrideData extends BookData {
  pages: number
  round: number
  startNs: number
}

const readEach = (d: StrideData) =>
  ({ op: 'touch', address: d.address, length: (d.pages - 1) * PAGE + 1, mode: 'read' }) as const

/** Rounds over one number of pages, then the next number: the last three steps are gone through again. */
const measure: readonly Step<StrideData>[] = [
  (d) => {
    d.round = 0
    return readEach(d)
  },
  (d, view) => {
    if (d.round === 0) d.startNs = view.nowNs
    if (d.round === accesses / d.pages) return undefined
    d.round++
    d.pc--
    return readEach(d)
  },
  (d, view) => {
    const { pages } = d
    const ns = Math.floor((view.nowNs - d.startNs) / Math.floor((d.round * pages) / 10))
    if (pages * times * PAGE <= size) {
      d.pages *= times
      d.pc -= 3
    }
    return printf(source, 0, pages, (pages * PAGE) / 1024, Math.floor(ns / 10), ns % 10)
  },
]

const steps = (advice: 'hugepage' | 'nohugepage'): readonly Step<StrideData>[] => [
  () => ({ op: 'mmap', length: size, prot: 3, flags: 0x22 }),
  keepAddress('mmap') as Step<StrideData>,
  (d) => ({ op: 'madvise', address: d.address, length: size, advice }),
  (d) => {
    d.pages = fewest
    return { op: 'touch', address: d.address, length: size - PAGE + 1, mode: 'write' }
  },
  ...measure,
]

export const tlbStride = bookForks(
  'tlb_stride',
  source,
  { main: steps('nohugepage') as readonly Step<BookData>[], huge: steps('hugepage') as readonly Step<BookData>[] },
  (argv) => (argv.length > 1 ? 'huge' : 'main'),
)
