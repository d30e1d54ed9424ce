/**
 * What a slab cache was created with beyond its size: alignment to cache lines, a constructor, slabs that outlive an RCU
 * grace period, and how much of an object may be copied from and to user space.
 * @kernel  kmem_cache_create(), kmem_cache_create_usercopy() and kmem_buckets_create() calls of the whole kernel
 * @spec    03 §3.1
 */
import type { Bytes } from '../../util/units'
import type { KernelSeries } from '../config'
import type { KmemCache } from './slab_state'

/** Aligned to 64 bytes by their type, not by SLAB_HWCACHE_ALIGN. */
const ALIGNED_BY_TYPE: readonly string[] = ['task_struct', 'task_group', 'net_namespace']

/** Functions that prepare an object when its slab is made. */
const CONSTRUCTORS: Readonly<Record<string, string>> = {
  anon_vma: 'anon_vma_ctor',
  bdev_cache: 'init_once',
  dax_cache: 'init_once',
  ext4_inode_cache: 'init_once',
  fuse_inode: 'fuse_inode_init_once',
  hugetlbfs_inode_cache: 'init_once',
  iint_cache: 'init_once',
  ima_iint_cache: 'ima_iint_init_once',
  inode_cache: 'init_once',
  mqueue_inode_cache: 'init_once',
  proc_inode_cache: 'init_once',
  radix_tree_node: 'radix_tree_node_ctor',
  shmem_inode_cache: 'shmem_init_inode',
  sighand_cache: 'sighand_ctor',
  sock_inode_cache: 'init_once',
  tracefs_inode_cache: 'init_once',
  userfaultfd_ctx_cache: 'init_once_userfaultfd_ctx',
}

/** SLAB_TYPESAFE_BY_RCU; filp since 6.7, bio slabs since 5.16. */
const TYPESAFE = /^(anon_vma|sighand_cache|jbd2_journal_head|bio-\d+|(MP)?TCP(v6)?|(request|tw)_sock_\w+)$/

/** Bytes of an object that hardened usercopy lets through, where it is a part of the object. */
const USER_BYTES: Readonly<Record<KernelSeries, Readonly<Record<string, Bytes>>>> = {
  '6.1': { dentry: 32, mm_struct: 384 },
  '6.12': { dentry: 40, io_kiocb: 56, mm_struct: 416 },
}
/** The same in both series; task_struct: the FPU state of the captured machines' CPU. */
const USER_BYTES_OF_ALL: Readonly<Record<string, Bytes>> = {
  RAW: 4,
  RAWv6: 32,
  ext4_inode_cache: 60,
  fsverity_info: 64,
  names_cache: 4096,
  proc_dir_entry: 24,
  skbuff_head_cache: 48,
  task_struct: 2696,
  uts_namespace: 390,
}
/** struct skb_shared_info, behind the data of a small packet. */
const SHARED_INFO_BYTES = 320
/** struct msg_msg in front of a message's text, and the most text of a message's first part. */
const MSG_HEAD_BYTES = 48
const MSG_TEXT_BYTES = 4096 - MSG_HEAD_BYTES

/** 1 = SLAB_HWCACHE_ALIGN. Objects up to half a cache line are aligned to less than a line. @kernel calculate_alignment() */
export const isHwcacheAligned = ({ name, align }: KmemCache): boolean =>
  (align === 64 || align === 32) && !name.includes('kmalloc-') && !ALIGNED_BY_TYPE.includes(name)

/** Name of the constructor, '' none. A cache that has one is never merged. */
export const constructorOf = ({ name, sysfsId }: KmemCache): string =>
  sysfsId === '' && Object.hasOwn(CONSTRUCTORS, name) ? CONSTRUCTORS[name]! : ''

/** Whether its pages are given back only after a grace period. @kernel SLAB_TYPESAFE_BY_RCU */
export const isTypesafeByRcu = ({ name, sysfsId }: KmemCache, series: KernelSeries): boolean =>
  sysfsId === '' && (TYPESAFE.test(name) || (name === 'filp' && series !== '6.1'))

/**
 * How many bytes of an object may be copied from and to user space; 0 none. A cache that has some is never merged.
 * @kernel  mm/slub.c usersize_show(), mm/slab_common.c kmem_buckets_create()
 */
export function userBytes({ name, objectSize, sysfsId }: KmemCache, series: KernelSeries): Bytes {
  if (sysfsId !== '') return 0
  if (name.includes('kmalloc-') || name.startsWith('memdup_user-')) return objectSize
  if (name.startsWith('msg_msg-')) return Math.min(Math.max(0, objectSize - MSG_HEAD_BYTES), MSG_TEXT_BYTES)
  if (name === 'skbuff_small_head') return objectSize - SHARED_INFO_BYTES
  return USER_BYTES[series][name] ?? USER_BYTES_OF_ALL[name] ?? 0
}
