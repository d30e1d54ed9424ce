/** giant_page: one page of 1 GiB, mapped by a single entry two levels above the last one. */
import { bookProgram, define, keepAddress, printf } from './source'

const source = `/* One page of 1 GiB: a single entry of the third table maps it, and a single fault brings it in. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define BITS 30
#define STRIDE 2097152
#define SECONDS 60

static long faults(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_minflt;
}

int main(void)
{
    size_t size = (size_t)1 << BITS;
    setbuf(stdout, NULL); /* every line at once, into a pipe too */
    volatile char *data = mmap(NULL, size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (BITS << MAP_HUGE_SHIFT), -1, 0);
    if (data == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    long before = faults();
    for (size_t i = 0; i < size; i += STRIDE)
        data[i] = 1;
    printf("%ld fault for 1 GiB at %p\\n", faults() - before, (void *)data);
    sleep(SECONDS);
    return 0;
}
`

const bits = define(source, 'BITS')
const stride = define(source, 'STRIDE')
const size = 2 ** bits
const MAP_HUGE_SHIFT = 26
const PRIVATE_ANON_HUGETLB = 0x40022

export const giantPage = bookProgram('giant_page', source, [
  () => ({ op: 'mmap', length: size, prot: 3, flags: PRIVATE_ANON_HUGETLB | (bits << MAP_HUGE_SHIFT) }),
  keepAddress('mmap'),
  (d, view) => {
    d['before'] = view.minflt
    const pages = Array.from({ length: size / stride }, (_, i) => (i * stride) / 4096)
    return { op: 'touchList', address: d.address, pages, mode: 'write' }
  },
  (d, view) => printf(source, 0, view.minflt - Number(d['before']), d.address),
  () => ({ op: 'sleep', ns: define(source, 'SECONDS') * 1e9 }),
])
