/** malloc_test: what malloc gives is a mapping; pages come with the first write. */
import type { Step } from '../steps'
import { MIB, PAGE, bookProgram, define, keepAddress, printf, type BookData } from './source'

const source = `/* From malloc to the first write: the size of the address space, what is resident, and the faults, step by step. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEBIBYTES 64
#define PARTS 4
#define PAGE 4096

static void report(const char *when)
{
    struct rusage used;
    char text[128] = "";
    long size = 0, resident = 0;
    int fd = open("/proc/self/statm", O_RDONLY); /* in pages */
    if (fd >= 0 && read(fd, text, sizeof text - 1) > 0)
        sscanf(text, "%ld %ld", &size, &resident);
    close(fd);
    getrusage(RUSAGE_SELF, &used);
    printf("%-14s size %7ld kB   resident %7ld kB   minor faults %6ld\\n", when, size * 4, resident * 4, used.ru_minflt);
}

int main(void)
{
    size_t part = ((size_t)MEBIBYTES << 20) / PARTS;
    setbuf(stdout, NULL); /* every line at once, into a pipe too */

    report("start");
    volatile char *data = malloc(part * PARTS);
    if (data == NULL) {
        perror("malloc");
        return 1;
    }
    report("malloc");
    for (size_t n = 0; n < PARTS; n++) {
        for (size_t i = 0; i < part; i += PAGE)
            data[n * part + i] = 1;
        report("wrote a part");
    }
    for (size_t i = 0; i < part; i += PAGE)
        data[i] = 2;
    report("wrote again");
    free((void *)data);
    report("free");
    return 0;
}
`

const parts = define(source, 'PARTS')
const part = (define(source, 'MEBIBYTES') * MIB) / parts

const report = (when: string): readonly Step<BookData>[] => [
  () => ({ op: 'readFile', path: '/proc/self/statm' }),
  (_d, view) => {
    const [size = 0, resident = 0] = view.text.split(' ').map(Number)
    return printf(source, 0, when, size * 4, resident * 4, view.minflt)
  },
]
const write =
  (n: number): Step<BookData> =>
  (d) => ({ op: 'touch', address: d.address + n * part, length: part - PAGE + 1, mode: 'write' })

export const mallocTest = bookProgram('malloc_test', source, [
  ...report('start'),
  () => ({ op: 'malloc', length: part * parts }),
  keepAddress('malloc'),
  ...report('malloc'),
  ...Array.from({ length: parts }, (_, n) => [write(n), ...report('wrote a part')]).flat(),
  write(0),
  ...report('wrote again'),
  (d) => ({ op: 'free', address: d.address }),
  ...report('free'),
])
