/** The fifteen topics of the course, as a list of labs names them. */
const TOPICS = [
  'Zones',
  'Buddy allocator',
  'Fragmentation and compaction',
  'SLUB',
  'Page tables and the TLB',
  'Page faults',
  'malloc to page fault',
  'Reclaim',
  'OOM killer',
  'Memory cgroups',
  'NUMA',
  'Huge pages',
  'kmalloc and vmalloc',
  'How they interact',
  'Labs and interview questions',
] as const

/** 'Zones, Reclaim' for [1, 8]; a number outside the course stands for itself. */
export const topicNames = (topics: readonly number[]): string =>
  topics.map((topic) => TOPICS[topic - 1] ?? String(topic)).join(', ')
