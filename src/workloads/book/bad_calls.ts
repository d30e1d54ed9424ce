/** bad_calls: system calls on memory that the kernel refuses, each with its errno; then one that it should have refused. */
import { strerror } from '../../util/errno'
import type { Op } from '../../engine/task'
import type { Step } from '../steps'
import { PAGE, bookProgram, keepAddress, printf, type BookData } from './source'

const source = `/* System calls on memory with impossible arguments: errno says why. The last one is possible, and fatal. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static void say(const char *what, int failed)
{
    printf("%-32s %s\\n", what, failed ? strerror(errno) : "done");
}

int main(void)
{
    setbuf(stdout, NULL); /* the lines are out before the program dies */
    char here;
    char *stack = (char *)((uintptr_t)&here & -PAGE);
    char *data = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0);
    if (data == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    char *hole = data + 3 * PAGE;

    say("mmap, no bytes", mmap(NULL, 0, RW, ANON, -1, 0) == MAP_FAILED);
    say("mmap, 128 TiB", mmap(NULL, 1UL << 47, RW, ANON, -1, 0) == MAP_FAILED);
    say("mmap, unaligned", mmap(data + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0) == MAP_FAILED);
    say("mmap, behind user addresses", mmap((void *)(1UL << 47), PAGE, RW, ANON | MAP_FIXED, -1, 0) == MAP_FAILED);
    say("mmap, over the stack", mmap(stack, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
    say("munmap, no bytes", munmap(data, 0) != 0);
    say("munmap, unaligned", munmap(data + 1, PAGE) != 0);
    say("munmap, 100 bytes: a page", munmap(hole, 100) != 0);
    say("munmap, nothing there", munmap(hole, PAGE) != 0);
    say("mprotect, unaligned", mprotect(data + 1, PAGE, PROT_READ) != 0);
    say("mprotect, a hole", mprotect(hole, PAGE, PROT_READ) != 0);
    say("madvise, unaligned", madvise(data + 1, PAGE, MADV_DONTNEED) != 0);
    say("madvise, a hole", madvise(hole, PAGE, MADV_DONTNEED) != 0);
    say("mlock, a hole", mlock(hole, PAGE) != 0);
    say("msync, unaligned", msync(data + 1, PAGE, MS_SYNC) != 0);
    say("msync, a hole", msync(hole, PAGE, MS_SYNC) != 0);
    say("mremap, to no bytes", mremap(data, PAGE, 0, 0) == MAP_FAILED);
    say("mremap, a hole", mremap(hole, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
    say("mremap, no room to grow", mremap(data, PAGE, 2 * PAGE, 0) == MAP_FAILED);

    printf("taking the stack away\\n");
    mmap(stack, PAGE, PROT_NONE, ANON | MAP_FIXED, -1, 0);
    printf("not reached\\n");
    return 0;
}
`

const RW = 3
const ANON = 0x22
const FIXED = 0x10
const FIXED_NOREPLACE = 0x100000
const MS_SYNC = 4
const MAYMOVE = 1

const dataOf = (d: BookData): number => d.address
const hole = (d: BookData): number => d.address + 3 * PAGE
const stack = (d: BookData): number => Number(d['stack'])

const mmap = (address: number, length: number, flags: number, prot = RW): Op => {
  return { op: 'mmap', length, prot, flags: ANON | flags, ...(address === 0 ? {} : { address }) }
}

/** The calls in the source's order. */
const CALLS: readonly ((d: BookData) => Op)[] = [
  () => mmap(0, 0, 0),
  () => mmap(0, 2 ** 47, 0),
  (d) => mmap(dataOf(d) + 1, PAGE, FIXED),
  () => mmap(2 ** 47, PAGE, FIXED),
  (d) => mmap(stack(d), PAGE, FIXED_NOREPLACE),
  (d) => ({ op: 'munmap', address: dataOf(d), length: 0 }),
  (d) => ({ op: 'munmap', address: dataOf(d) + 1, length: PAGE }),
  (d) => ({ op: 'munmap', address: hole(d), length: 100 }),
  (d) => ({ op: 'munmap', address: hole(d), length: PAGE }),
  (d) => ({ op: 'mprotect', address: dataOf(d) + 1, length: PAGE, prot: 1 }),
  (d) => ({ op: 'mprotect', address: hole(d), length: PAGE, prot: 1 }),
  (d) => ({ op: 'madvise', address: dataOf(d) + 1, length: PAGE, advice: 'dontneed' }),
  (d) => ({ op: 'madvise', address: hole(d), length: PAGE, advice: 'dontneed' }),
  (d) => ({ op: 'mlock', address: hole(d), length: PAGE }),
  (d) => ({ op: 'msync', address: dataOf(d) + 1, length: PAGE, flags: MS_SYNC }),
  (d) => ({ op: 'msync', address: hole(d), length: PAGE, flags: MS_SYNC }),
  (d) => ({ op: 'mremap', address: dataOf(d), oldLength: PAGE, newLength: 0, flags: 0 }),
  (d) => ({ op: 'mremap', address: hole(d), oldLength: PAGE, newLength: 2 * PAGE, flags: MAYMOVE }),
  (d) => ({ op: 'mremap', address: dataOf(d), oldLength: PAGE, newLength: 2 * PAGE, flags: 0 }),
]
const NAMES = [...source.matchAll(/^ {4}say\("([^"]+)"/gm)].map((match) => match[1]!)

const said = (name: string): Step<BookData> => {
  return (_d, view) => printf(source, 0, name, view.errno === undefined ? 'done' : strerror(view.errno))
}

export const badCalls = bookProgram('bad_calls', source, [
  () => ({ op: 'readFile', path: '/proc/self/maps' }),
  (d, view) => {
    const end = /^[0-9a-f]+-([0-9a-f]+) .*\[stack\]$/m.exec(view.text)![1]!
    // The page that main() uses; the arguments and the environment are above it.
    d['stack'] = Number.parseInt(end, 16) - 2 * PAGE
    return mmap(0, 4 * PAGE, 0)
  },
  keepAddress('mmap'),
  ...CALLS.flatMap((call, i) => [call, said(NAMES[i]!)]),
  () => printf(source, 1),
  (d) => mmap(stack(d), PAGE, FIXED, 0),
  // mmap() returns to an address that it reads from the stack.
  (d) => ({ op: 'touch', address: stack(d), length: 1, mode: 'read' }),
  () => printf(source, 2),
])
