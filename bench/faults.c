/* Anonymous page faults and accesses to resident memory of the real kernel, per second of CPU time.
 * usage: faults MIB ROUNDS; prints "ascending N", "random N", "resident-ascending N", "resident-random N" a round. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "measure.h"

#define PAGE 4096UL

static volatile char *map(size_t bytes) {
  char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  madvise(p, bytes, MADV_NOHUGEPAGE);
  return p;
}

static double touch(volatile char *p, const uint32_t *order, size_t pages, char value) {
  double start = cpu_seconds();
  if (order == NULL)
    for (size_t i = 0; i < pages; i++) p[i * PAGE] = value;
  else
    for (size_t i = 0; i < pages; i++) p[order[i] * PAGE] = value;
  return pages / (cpu_seconds() - start);
}

int main(int argc, char **argv) {
  size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1024) << 20;
  int rounds = argc > 2 ? atoi(argv[2]) : 5;
  size_t pages = bytes / PAGE;
  uint32_t *order = malloc(pages * sizeof *order);
  for (size_t i = 0; i < pages; i++) order[i] = i;
  for (size_t i = pages - 1; i > 0; i--) {
    size_t j = next_random() % (i + 1);
    uint32_t t = order[i];
    order[i] = order[j];
    order[j] = t;
  }
  for (int round = 0; round < rounds; round++) {
    volatile char *p = map(bytes);
    printf("ascending %f\n", touch(p, NULL, pages, 1));
    printf("resident-ascending %f\n", touch(p, NULL, pages, 2));
    printf("resident-random %f\n", touch(p, order, pages, 3));
    munmap((void *)p, bytes);
    p = map(bytes);
    printf("random %f\n", touch(p, order, pages, 1));
    munmap((void *)p, bytes);
  }
  return 0;
}
