/* The buddy system of src/engine/mm/buddy.ts, line by line in C, driven by the same random sequence.
 * usage: buddy START_PFN PAGES OPERATIONS ROUNDS; prints "operations N" a round (per CPU second) and "checksum N". */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include "measure.h"

#define MAX_ORDER 10
#define NR_ORDERS 11
#define TYPES 5
#define MOVABLE 1
#define PAGEBLOCK_ORDER 9
#define PG_BUDDY 1
#define ORDER_FREE 128
#define TYPE_SHIFT 27

static int32_t *next, *prev, *flags, *block_next, *block_prev;
static uint8_t *order_of, *zone_of, *pageblocks;
static int32_t lists[2 * NR_ORDERS * TYPES];
static int32_t nr_free[NR_ORDERS], nr_free_type[NR_ORDERS * TYPES];
static double free_pages;

static void add_head(int list, int32_t pfn) {
  int32_t head = lists[2 * list];
  next[pfn] = head;
  prev[pfn] = 0;
  if (head) prev[head] = pfn;
  else lists[2 * list + 1] = pfn;
  lists[2 * list] = pfn;
}

static void add_tail(int list, int32_t pfn) {
  int32_t tail = lists[2 * list + 1];
  prev[pfn] = tail;
  next[pfn] = 0;
  if (tail) next[tail] = pfn;
  else lists[2 * list] = pfn;
  lists[2 * list + 1] = pfn;
}

static void del(int list, int32_t pfn) {
  int32_t n = next[pfn], p = prev[pfn];
  if (p) next[p] = n;
  else lists[2 * list] = n;
  if (n) prev[n] = p;
  else lists[2 * list + 1] = p;
  next[pfn] = prev[pfn] = 0;
}

static void add_block_head(int list, int32_t pfn) {
  int32_t block = pfn >> MAX_ORDER, head = lists[2 * list] >> MAX_ORDER;
  block_next[block] = head ? head + 1 : 1;
  block_prev[block] = 1;
  if (head) block_prev[head] = block + 1;
  else lists[2 * list + 1] = pfn;
  lists[2 * list] = pfn;
}

static void add_block_tail(int list, int32_t pfn) {
  int32_t block = pfn >> MAX_ORDER, tail = lists[2 * list + 1] >> MAX_ORDER;
  block_prev[block] = tail ? tail + 1 : 1;
  block_next[block] = 1;
  if (tail) block_next[tail] = block + 1;
  else lists[2 * list] = pfn;
  lists[2 * list + 1] = pfn;
}

static void del_block(int list, int32_t pfn) {
  int32_t block = pfn >> MAX_ORDER, n = block_next[block], p = block_prev[block];
  if (n == 0) abort();
  if (p > 1) block_next[p - 1] = n;
  else lists[2 * list] = n > 1 ? (n - 1) << MAX_ORDER : 0;
  if (n > 1) block_prev[n - 1] = p;
  else lists[2 * list + 1] = p > 1 ? (p - 1) << MAX_ORDER : 0;
  block_next[block] = block_prev[block] = 0;
}

static void add_free(int32_t pfn, int order, int type, int at_tail) {
  int list = order * TYPES + type;
  if (order == MAX_ORDER) {
    if (at_tail) add_block_tail(list, pfn);
    else add_block_head(list, pfn);
  } else {
    flags[pfn] = PG_BUDDY | type << TYPE_SHIFT;
    order_of[pfn] = ORDER_FREE | order;
    if (at_tail) add_tail(list, pfn);
    else add_head(list, pfn);
  }
  nr_free[order]++;
  nr_free_type[list]++;
}

static void del_free(int32_t pfn, int order) {
  int type = order == MAX_ORDER ? pageblocks[pfn >> PAGEBLOCK_ORDER] : flags[pfn] >> TYPE_SHIFT & 7;
  int list = order * TYPES + type;
  if (order == MAX_ORDER) {
    del_block(list, pfn);
  } else {
    del(list, pfn);
    flags[pfn] = 0;
    order_of[pfn] = 0;
  }
  nr_free[order]--;
  nr_free_type[list]--;
}

static int is_buddy(int32_t pfn, int order) { return order_of[pfn] == (ORDER_FREE | order); }

static int is_merge_likely(int32_t pfn, int order) {
  if (order >= MAX_ORDER - 1) return 0;
  return is_buddy((pfn & ~(1 << order)) ^ 1 << (order + 1), order + 1);
}

static void free_block(int32_t pfn, int order, int type) {
  free_pages += 1 << order;
  int o = order;
  for (; o < MAX_ORDER; o++) {
    int32_t buddy = pfn ^ 1 << o;
    if (!is_buddy(buddy, o)) break;
    if (o >= 8 && zone_of[buddy >> 8] != 1) break;
    if (o >= PAGEBLOCK_ORDER && pageblocks[buddy >> PAGEBLOCK_ORDER] != type) break;
    del_free(buddy, o);
    pfn &= buddy;
  }
  add_free(pfn, o, type, is_merge_likely(pfn, o));
}

static int32_t alloc_block(int order, int type) {
  for (int o = order; o < NR_ORDERS; o++) {
    int32_t pfn = lists[2 * (o * TYPES + type)];
    if (pfn == 0) continue;
    del_free(pfn, o);
    free_pages -= 1 << order;
    for (int half = o - 1; half >= order; half--) add_free(pfn + (1 << half), half, type, 0);
    return pfn;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int32_t start = atoi(argv[1]), pages = atoi(argv[2]), end = start + pages;
  int operations = atoi(argv[3]), rounds = atoi(argv[4]);
  size_t rows = ((size_t)end | 1023) + 1;
  next = calloc(rows, 4), prev = calloc(rows, 4), flags = calloc(rows, 4);
  order_of = calloc(rows, 1), zone_of = calloc(rows >> 8, 1), pageblocks = malloc(rows >> 9);
  block_next = calloc(rows >> 10, 4), block_prev = calloc(rows >> 10, 4);
  int32_t *live = malloc(4 * (size_t)pages);
  uint8_t *live_order = malloc(pages);
  for (size_t i = 0; i < rows >> 9; i++) pageblocks[i] = MOVABLE;
  for (int32_t i = start >> 8; i < end >> 8; i++) zone_of[i] = 1;
  for (int32_t pfn = start; pfn < end;) {
    int order = MAX_ORDER;
    while (pfn & ((1 << order) - 1) || pfn + (1 << order) > end) order--;
    add_free(pfn, order, MOVABLE, 1);
    pfn += 1 << order;
  }
  free_pages = pages;
  double target = pages - pages / 4; /* pages in use */
  int nr_live = 0;
  uint32_t checksum = 0;
  for (int round = -1; round < rounds; round++) {
    double began = cpu_seconds();
    for (int i = 0; round < 0 ? pages - free_pages < target : i < operations; i++) {
      uint32_t r = next_random();
      if (pages - free_pages < target) {
        int order = __builtin_ctz(r | 1 << 9);
        int32_t pfn = alloc_block(order, MOVABLE);
        checksum = (checksum ^ pfn) * 0x9e3779b1u;
        if (pfn == 0) continue;
        live[nr_live] = pfn;
        live_order[nr_live++] = order;
      } else {
        int k = (int)(r >> 1) % nr_live;
        int32_t pfn = live[k];
        free_block(pfn, live_order[k], pageblocks[pfn >> PAGEBLOCK_ORDER]);
        live[k] = live[--nr_live];
        live_order[k] = live_order[nr_live];
      }
    }
    if (round >= 0) printf("operations %f\n", operations / (cpu_seconds() - began));
  }
  printf("checksum %u\n", checksum);
  return 0;
}
