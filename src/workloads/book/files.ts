/** mmap_file and past_the_end: files in the address space. */
import type { Step } from '../steps'
import { MIB, PAGE, bookProgram, define, keepAddress, printf, type BookData } from './source'

const fileSource = `/* A file in the address space: first touch, second touch. Makes its file on the first run. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILE_NAME "mmap_file.data"
#define MEBIBYTES 16
#define PAGE 4096

static void report(const char *when)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("%-14s minor faults: %6ld   major faults: %4ld\\n", when, used.ru_minflt, used.ru_majflt);
}

int main(void)
{
    static char block[1 << 20];
    size_t size = (size_t)MEBIBYTES << 20;
    volatile char sum = 0;
    setbuf(stdout, NULL); /* every line at once, into a pipe too */

    int fd = open(FILE_NAME, O_RDONLY);
    if (fd < 0) {
        fd = open(FILE_NAME, O_RDWR | O_CREAT, 0644);
        for (int i = 0; i < MEBIBYTES; i++)
            if (write(fd, block, sizeof block) < 0)
                perror("write");
        fsync(fd);
    }
    volatile char *data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    report("mapped");
    for (size_t i = 0; i < size; i += PAGE)
        sum += data[i];
    report("first touch");
    for (size_t i = 0; i < size; i += PAGE)
        sum += data[i];
    report("second touch");
    return 0;
}
`
const name = /#define FILE_NAME "(.*)"/.exec(fileSource)![1]!
const mebibytes = define(fileSource, 'MEBIBYTES')
const report =
  (when: string): Step<BookData> =>
  (_d, view) =>
    printf(fileSource, 0, when, view.minflt, view.majflt)
const readAll: Step<BookData> = (d) => ({ op: 'touch', address: d.address, length: mebibytes * MIB, mode: 'read' })
const keepFd: Step<BookData> = (d, view) => {
  d['fd'] = view.errno === undefined ? view.result : -1
  return undefined
}
const fill: readonly Step<BookData>[] = Array.from({ length: mebibytes }, () => (d) => ({
  op: 'write',
  fd: Number(d['fd']),
  length: MIB,
}))

export const mmapFile = bookProgram('mmap_file', fileSource, [
  () => ({ op: 'open', path: name }),
  keepFd,
  (d) => {
    if (Number(d['fd']) < 0) return { op: 'open', path: name, write: true, create: true }
    d.pc += fill.length + 2
    return undefined
  },
  keepFd,
  ...fill,
  (d) => ({ op: 'fsync', fd: Number(d['fd']) }),
  (d) => ({ op: 'mmap', length: mebibytes * MIB, prot: 1, flags: 1, fd: Number(d['fd']), offset: 0 }),
  keepAddress('mmap'),
  report('mapped'),
  readAll,
  report('first touch'),
  readAll,
  report('second touch'),
])

const endSource = `/* A mapping that is longer than its file: there is nothing to read behind the end. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_NAME "past_the_end.data"
#define PAGE 4096

int main(void)
{
    int fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);
    setbuf(stdout, NULL); /* the lines are out before the program dies */
    if (fd < 0 || write(fd, "one line\\n", 9) != 9) {
        perror(FILE_NAME);
        return 1;
    }
    volatile char *data = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    printf("byte %d is %d\\n", 100, data[100]);
    printf("reading byte %d\\n", PAGE);
    printf("it is %d\\n", data[PAGE]);
    return 0;
}
`
const endName = /#define FILE_NAME "(.*)"/.exec(endSource)![1]!
export const pastTheEnd = bookProgram('past_the_end', endSource, [
  () => ({ op: 'open', path: endName, write: true, create: true, truncate: true }),
  keepFd,
  (d) => ({ op: 'write', fd: Number(d['fd']), text: 'one line\n' }),
  (d) => ({ op: 'mmap', length: 2 * PAGE, prot: 1, flags: 1, fd: Number(d['fd']), offset: 0 }),
  keepAddress('mmap'),
  (d) => ({ op: 'touch', address: d.address, length: 1, mode: 'read' }),
  () => printf(endSource, 0, 100, 0),
  () => printf(endSource, 1, PAGE),
  (d) => ({ op: 'touch', address: d.address + PAGE, length: 1, mode: 'read' }),
  () => printf(endSource, 2, 0),
])
