/** Phases of `mm cow` in which somebody touches every page, in their order. */
export const COW_PHASES = [
  'parent_write_all',
  'child1_write_all(copy)',
  'child1_write_again',
  'parent_write_after_exit(reuse)',
  'parent_write_shared(copy)',
  'child2_write_all(reuse)',
  'parent_write_final',
  'child3_write_half(copy)',
]
