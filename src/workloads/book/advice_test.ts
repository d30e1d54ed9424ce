/** advice_test: what each advice makes of memory that has been written, in the words of smaps. */
import type { Advice } from '../../engine/task'
import type { Step } from '../steps'
import { MIB, bookProgram, define, keepAddress, printf, type BookData } from './source'

const source = `/* madvise on memory that was written: who keeps it, who gives it up, and what a write costs afterwards. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MEBIBYTES 8
#define PAGE 4096

static const size_t size = (size_t)MEBIBYTES << 20;

static long kilobytes(const char *key)
{
    static char text[4096];
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    if (file == NULL)
        return -1;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    const char *line = strstr(text, key);
    long value = -1;
    if (line != NULL)
        sscanf(line + strlen(key), "%ld", &value);
    return value;
}

static void write_all(volatile char *data)
{
    for (size_t i = 0; i < size; i += PAGE)
        data[i] = 1;
}

static void try(const char *name, int advice)
{
    struct rusage before, after;
    volatile char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
        perror("mmap");
        return;
    }
    madvise((void *)data, size, MADV_NOHUGEPAGE);
    write_all(data);
    int failed = madvise((void *)data, size, advice);
    long resident = kilobytes("\\nRss:"), lazy = kilobytes("\\nLazyFree:"), swap = kilobytes("\\nSwap:");
    getrusage(RUSAGE_SELF, &before);
    write_all(data);
    getrusage(RUSAGE_SELF, &after);
    if (failed)
        perror(name);
    printf("%-10s resident %6ld kB   lazily free %6ld kB   in swap %6ld kB   ", name, resident, lazy, swap);
    printf("written again: %5ld faults\\n", after.ru_minflt + after.ru_majflt - before.ru_minflt - before.ru_majflt);
    munmap((void *)data, size);
}

int main(void)
{
    setbuf(stdout, NULL); /* every line at once, into a pipe too */
    try("NORMAL", MADV_NORMAL);
    try("COLD", MADV_COLD);
    try("PAGEOUT", MADV_PAGEOUT);
    try("FREE", MADV_FREE);
    try("DONTNEED", MADV_DONTNEED);
    return 0;
}
`

const size = define(source, 'MEBIBYTES') * MIB
const ADVICE: readonly Advice[] = ['normal', 'cold', 'pageout', 'free', 'dontneed']
/** printf of a line's first and second half: the formats before them are perror's. */
const kilobytes = (text: string, key: string): number => Number(new RegExp(`\\n${key}: +(\\d+)`).exec(text)?.[1] ?? -1)

const tryAdvice = (advice: Advice): readonly Step<BookData>[] => [
  () => ({ op: 'mmap', length: size, prot: 3, flags: 0x22 }),
  keepAddress('mmap'),
  (d) => ({ op: 'madvise', address: d.address, length: size, advice: 'nohugepage' }),
  (d) => ({ op: 'touch', address: d.address, length: size, mode: 'write' }),
  (d) => ({ op: 'madvise', address: d.address, length: size, advice }),
  () => ({ op: 'readFile', path: '/proc/self/smaps_rollup' }),
  (d, view) => {
    const [resident, lazy, swap] = ['Rss', 'LazyFree', 'Swap'].map((key) => kilobytes(view.text, key))
    Object.assign(d, { resident, lazy, swap, before: view.minflt + view.majflt })
    return { op: 'touch', address: d.address, length: size, mode: 'write' }
  },
  (d, view) => {
    d['faults'] = view.minflt + view.majflt - Number(d['before'])
    const [resident, lazy, swap] = [Number(d['resident']), Number(d['lazy']), Number(d['swap'])]
    return printf(source, 0, advice.toUpperCase(), resident, lazy, swap)
  },
  (d) => printf(source, 1, Number(d['faults'])),
  (d) => ({ op: 'munmap', address: d.address, length: size }),
]

export const adviceTest = bookProgram('advice_test', source, ADVICE.flatMap(tryAdvice))
