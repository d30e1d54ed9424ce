/** mlock_test: memory that is there before it is used, and stays. */
import type { Step } from '../steps'
import { MIB, PAGE, bookProgram, define, keepAddress, printf, type BookData } from './source'

const source = `/* Locked memory: mlock faults every page in, so that using it later costs no fault. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define MEBIBYTES 16
#define PAGE 4096

static void report(const char *when)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("%-10s minor faults: %6ld\\n", when, used.ru_minflt);
}

int main(void)
{
    size_t size = (size_t)MEBIBYTES << 20;
    setbuf(stdout, NULL); /* every line at once, into a pipe too */

    volatile char *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    report("mmap");
    if (mlock((void *)data, size) != 0) {
        perror("mlock");
        return 1;
    }
    report("mlock");
    for (size_t i = 0; i < size; i += PAGE)
        data[i] = 1;
    report("write");
    munlock((void *)data, size);
    report("munlock");
    return 0;
}
`

const size = define(source, 'MEBIBYTES') * MIB
const report =
  (when: string): Step<BookData> =>
  (_d, view) =>
    printf(source, 0, when, view.minflt)
const failed: Step<BookData> = (d, view) => {
  if (view.errno === undefined) return undefined
  d.status = 1
  d.pc = Number.MAX_SAFE_INTEGER
  return { op: 'write', fd: 2, text: 'mlock: Cannot allocate memory\n' }
}

export const mlockTest = bookProgram('mlock_test', source, [
  () => ({ op: 'mmap', length: size, prot: 3, flags: 0x22 }),
  keepAddress('mmap'),
  report('mmap'),
  (d) => ({ op: 'mlock', address: d.address, length: size }),
  failed,
  report('mlock'),
  (d) => ({ op: 'touch', address: d.address, length: size - PAGE + 1, mode: 'write' }),
  report('write'),
  (d) => ({ op: 'munlock', address: d.address, length: size }),
  report('munlock'),
])
