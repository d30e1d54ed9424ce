/** fault_test: minor and major faults before malloc, after it, after touching every page. */
import type { Step } from '../steps'
import { MIB, bookProgram, define, keepAddress, printf, type BookData } from './source'

const source = `/* Page faults of one process: before an allocation, after malloc, and after the first write to every page. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define MEBIBYTES 100
#define PAGE 4096

static void report(const char *when)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("%-16s minor faults: %6ld   major faults: %4ld\\n", when, used.ru_minflt, used.ru_majflt);
}

int main(void)
{
    size_t size = (size_t)MEBIBYTES << 20;
    setbuf(stdout, NULL); /* every line at once, into a pipe too */

    report("before malloc");
    volatile char *data = malloc(size);
    if (data == NULL) {
        perror("malloc");
        return 1;
    }
    report("after malloc");
    for (size_t i = 0; i < size; i += PAGE)
        data[i] = 1;
    report("after touching");
    free((void *)data);
    report("after free");
    return 0;
}
`

const size = define(source, 'MEBIBYTES') * MIB
const page = define(source, 'PAGE')
const report =
  (when: string): Step<BookData> =>
  (_d, view) =>
    printf(source, 0, when, view.minflt, view.majflt)

export const faultTest = bookProgram('fault_test', source, [
  report('before malloc'),
  () => ({ op: 'malloc', length: size }),
  keepAddress('malloc'),
  report('after malloc'),
  (d) => ({ op: 'touch', address: d.address, length: size - page + 1, mode: 'write' }),
  report('after touching'),
  (d) => ({ op: 'free', address: d.address }),
  report('after free'),
])
