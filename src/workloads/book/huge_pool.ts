/** huge_pool: memory out of the reserved pool, promised at mmap() and taken at the first touch. */
import { MIB, bookProgram, define, keepAddress, printf } from './source'

const source = `/* Huge pages out of the pool: mmap() reserves them, the first touch takes them, the end gives them back. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEBIBYTES 40
#define TOUCHED 20
#define HUGE_PAGE 2097152

int main(void)
{
    size_t size = (size_t)MEBIBYTES << 20;
    setbuf(stdout, NULL); /* every line at once, into a pipe too */
    volatile char *data = mmap(NULL, size, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (data == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    printf("mapped %d MiB\\n", MEBIBYTES);
    sleep(3);
    for (size_t i = 0; i < (size_t)TOUCHED << 20; i += HUGE_PAGE)
        data[i] = 1;
    printf("touched %d MiB\\n", TOUCHED);
    sleep(3);
    return 0;
}
`
const PROT_READ_WRITE = 3
const PRIVATE_ANON_HUGETLB = 0x40022
const SLEEP_NS = 3e9

export const hugePool = bookProgram('huge_pool', source, [
  () => ({
    op: 'mmap',
    length: define(source, 'MEBIBYTES') * MIB,
    prot: PROT_READ_WRITE,
    flags: PRIVATE_ANON_HUGETLB,
  }),
  keepAddress('mmap'),
  () => printf(source, 0, define(source, 'MEBIBYTES')),
  () => ({ op: 'sleep', ns: SLEEP_NS }),
  (d) => ({ op: 'touch', address: d.address, length: define(source, 'TOUCHED') * MIB, mode: 'write' }),
  () => printf(source, 1, define(source, 'TOUCHED')),
  () => ({ op: 'sleep', ns: SLEEP_NS }),
])
