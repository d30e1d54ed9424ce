/** Accesses that no page can answer: six programs that end with a signal. */
import type { Step } from '../steps'
import { MIB, PAGE, bookProgram, define, keepAddress, printf, type BookData } from './source'

const RW = 3
const PRIVATE_ANON = 0x22
const write = (address: (d: BookData) => number): Step<BookData> => {
  return (d) => ({ op: 'touch', address: address(d), length: 1, mode: 'write' })
}

const nullSource = `/* A pointer that points to nothing. */
#include <stdio.h>

int main(void)
{
    volatile int *volatile nothing = NULL;
    setbuf(stdout, NULL); /* the line is out before the program dies */
    printf("writing to address %p\\n", (void *)nothing);
    *nothing = 42;
    printf("not reached\\n");
    return 0;
}
`
export const nullDeref = bookProgram('null_deref', nullSource, [
  () => printf(nullSource, 0, 0),
  write(() => 0),
  () => printf(nullSource, 1),
])

const straySource = `/* A pointer with a bit too many: no page table has entries for it, and nobody walks one. */
#include <stdint.h>
#include <stdio.h>

#define BIT 47

int main(void)
{
    volatile char *volatile nowhere = (char *)((uintptr_t)1 << BIT);
    setbuf(stdout, NULL); /* the line is out before the program dies */
    printf("writing to address %p\\n", (void *)nowhere);
    *nowhere = 42;
    printf("not reached\\n");
    return 0;
}
`
const nowhere = 2 ** define(straySource, 'BIT')
export const nonCanonical = bookProgram('non_canonical', straySource, [
  () => printf(straySource, 0, nowhere),
  write(() => nowhere),
  () => printf(straySource, 1),
])

const freedSource = `/* A large block goes back to the kernel when it is freed: its addresses mean nothing any more. */
#include <stdio.h>
#include <stdlib.h>

#define MEBIBYTES 1

int main(void)
{
    volatile char *volatile data = malloc((size_t)MEBIBYTES << 20);
    setbuf(stdout, NULL); /* the lines are out before the program dies */
    if (data == NULL) {
        perror("malloc");
        return 1;
    }
    data[0] = 1;
    printf("wrote to the block\\n");
    free((void *)data);
    printf("freed it, writing again\\n");
    data[0] = 2;
    printf("not reached\\n");
    return 0;
}
`
export const useAfterFree = bookProgram('use_after_free', freedSource, [
  () => ({ op: 'malloc', length: define(freedSource, 'MEBIBYTES') * MIB }),
  keepAddress('malloc'),
  write((d) => d.address),
  () => printf(freedSource, 0),
  (d) => ({ op: 'free', address: d.address }),
  () => printf(freedSource, 1),
  write((d) => d.address),
  () => printf(freedSource, 2),
])

const overflowSource = `/* A loop that runs one page too far. Behind the mapping lies a hole. */
#include <stdio.h>
#include <sys/mman.h>

#define PAGES 16
#define PAGE 4096

int main(void)
{
    volatile char *data = mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    setbuf(stdout, NULL); /* the lines are out before the program dies */
    if (data == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    munmap((void *)(data + PAGES * PAGE), PAGE);
    for (size_t i = 0; i <= PAGES; i++) {
        printf("page %2zu of %d\\n", i, PAGES);
        data[i * PAGE] = 1;
    }
    printf("not reached\\n");
    return 0;
}
`
const pages = define(overflowSource, 'PAGES')
export const overflow = bookProgram('overflow', overflowSource, [
  () => ({ op: 'mmap', length: (pages + 1) * PAGE, prot: RW, flags: PRIVATE_ANON }),
  keepAddress('mmap'),
  (d) => ({ op: 'munmap', address: d.address + pages * PAGE, length: PAGE }),
  ...Array.from({ length: pages + 1 }, (_, i): readonly Step<BookData>[] => [
    () => printf(overflowSource, 0, i, pages),
    write((d) => d.address + i * PAGE),
  ]).flat(),
  () => printf(overflowSource, 1),
])

const readOnlySource = `/* A mapping that may be read and not written: the entry of the page table says so. */
#include <stdio.h>
#include <sys/mman.h>

#define PAGE 4096

int main(void)
{
    volatile char *data = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    setbuf(stdout, NULL); /* the lines are out before the program dies */
    if (data == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    printf("read %d\\n", data[0]);
    printf("writing\\n");
    data[0] = 1;
    printf("not reached\\n");
    return 0;
}
`
export const readOnly = bookProgram('read_only', readOnlySource, [
  () => ({ op: 'mmap', length: PAGE, prot: 1, flags: PRIVATE_ANON }),
  keepAddress('mmap'),
  (d) => ({ op: 'touch', address: d.address, length: 1, mode: 'read' }),
  () => printf(readOnlySource, 0, 0),
  () => printf(readOnlySource, 1),
  write((d) => d.address),
  () => printf(readOnlySource, 2),
])

const stackSource = `/* Recursion that ends far too late: every call takes a frame of 64 KiB and writes to each of its pages. */
#include <stdio.h>

#define FRAME 65536
#define PAGE 4096
#define SAY 16
#define END 1000000

static int dive(int depth)
{
    volatile char frame[FRAME];
    for (int i = FRAME - PAGE; i >= 0; i -= PAGE)
        frame[i] = 1;
    if (depth % SAY == 0)
        printf("%4d frames, %5d KiB of stack\\n", depth, depth * (FRAME / 1024));
    if (depth == END)
        return 0;
    return dive(depth + 1) + frame[0];
}

int main(void)
{
    setbuf(stdout, NULL); /* the lines are out before the program dies */
    return dive(1);
}
`
const frame = define(stackSource, 'FRAME')
const framePages = frame / PAGE
export const stackOverflow = bookProgram('stack_overflow', stackSource, [
  () => ({ op: 'readFile', path: '/proc/self/maps' }),
  (d, view) => {
    const stack = /^[0-9a-f]+-([0-9a-f]+) .*\[stack\]$/m.exec(view.text)
    // main() and what started it hold the topmost pages, with the arguments and the environment.
    d.address = Number.parseInt(stack![1]!, 16) - 2 * PAGE
    d['depth'] = 0
    return undefined
  },
  (d) => {
    d['depth'] = Number(d['depth']) + 1
    const down = Array.from({ length: framePages }, (_, i) => framePages - 1 - i)
    return { op: 'touchList', address: d.address - Number(d['depth']) * frame, pages: down, mode: 'write' }
  },
  (d) => {
    const depth = Number(d['depth'])
    d.pc -= 2
    return depth % define(stackSource, 'SAY') === 0 ? printf(stackSource, 0, depth, depth * (frame / 1024)) : undefined
  },
])
