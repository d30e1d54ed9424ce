/** cow_test: parent and child share pages after fork, until one of them writes. */
import type { Op } from '../../engine/task'
import { findOwnPages, runText, writeData, writeStack } from '../mm/own_pages'
import type { Step } from '../steps'
import { MIB, PAGE, bookForks, define, keepAddress, printf, type BookData } from './source'

const source = `/* Copy on write: a child reads and writes what it shares with its parent; then the parent writes again. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEBIBYTES 64
#define PAGE 4096

static long before;

static long minor_faults(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_minflt;
}

static void report(const char *what)
{
    printf("%-26s %6ld minor faults\\n", what, minor_faults() - before);
    before = minor_faults();
}

int main(void)
{
    size_t size = (size_t)MEBIBYTES << 20;
    volatile char sum = 0;
    setbuf(stdout, NULL); /* every line at once, and none twice after the fork */

    volatile char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    before = minor_faults();
    for (size_t i = 0; i < size; i += PAGE)
        data[i] = 1;
    report("parent writes");

    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        return 1;
    }
    if (child == 0) {
        before = minor_faults();
        for (size_t i = 0; i < size; i += PAGE)
            sum += data[i];
        report("child reads");
        for (size_t i = 0; i < size; i += PAGE)
            data[i] = 2;
        report("child writes: copies");
        for (size_t i = 0; i < size; i += PAGE)
            data[i] = 3;
        report("child writes again");
        _exit(0);
    }
    waitpid(child, NULL, 0);
    before = minor_faults();
    for (size_t i = 0; i < size; i += PAGE)
        data[i] = 4;
    report("parent writes: takes back");
    return 0;
}
`

const size = define(source, 'MEBIBYTES') * MIB
const touch =
  (mode: 'read' | 'write'): Step<BookData> =>
  (d): Op => ({ op: 'touch', address: d.address, length: size - PAGE + 1, mode })
const begin: Step<BookData> = (d, view) => {
  d['before'] = view.minflt
  return undefined
}
const report = (what: string): readonly Step<BookData>[] => [
  (d, view) => printf(source, 0, what, view.minflt - Number(d['before'])),
  begin,
]
type Own = readonly Step<BookData>[]

export const cowTest = bookForks('cow_test', source, {
  main: [
    ...(findOwnPages as unknown as Own),
    () => ({ op: 'mmap', length: size, prot: 3, flags: 0x22 }),
    keepAddress('mmap'),
    begin,
    touch('write'),
    ...report('parent writes'),
    (d) => ({ op: 'fork', child: { ...d, pc: 0, part: 'child' } }),
    (d, view) => {
      d['child'] = view.result
      return undefined
    },
    writeStack as Step<BookData>,
    writeData as Step<BookData>,
    (d) => ({ op: 'wait', pid: Number(d['child']) }),
    begin,
    touch('write'),
    ...report('parent writes: takes back'),
  ],
  child: [
    writeStack as Step<BookData>,
    runText as Step<BookData>,
    begin,
    writeData as Step<BookData>,
    touch('read'),
    ...report('child reads'),
    touch('write'),
    ...report('child writes: copies'),
    touch('write'),
    ...report('child writes again'),
  ],
})
