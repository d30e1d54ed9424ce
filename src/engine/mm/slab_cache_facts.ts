/**
 * Which slab caches a Debian kernel has: shape of a row of the tables slab_caches_*.ts, and the choice of the table.
 * @kernel  kmem_cache_create() calls of the whole kernel, as /sys/kernel/slab shows them
 * @spec    03 §3.7
 */
import type { MachineConfig } from '../config'
import { SLAB_CACHES_61 } from './slab_caches_61'
import { SLAB_CACHES_612 } from './slab_caches_612'

/**
 * [name, sysfs id of a mergeable cache or '', object size in bytes, alignment in bytes, flags, objects at boot, objects at
 * boot for each CPU, names of the merged caches separated by spaces].
 * Flags: a reclaimable, A charged to control groups, d from ZONE_DMA, F free pointer behind the object.
 */
export type SlabCacheFacts = readonly [
  name: string,
  sysfsId: string,
  objectSize: number,
  align: number,
  flags: string,
  bootObjects: number,
  bootObjectsPerCpu: number,
  aliases: string,
]

/** Caches that Debian's full 6.12 kernel has in another size, or with other caches merged into them. */
const FULL_612: readonly SlabCacheFacts[] = [
  ['net_namespace', ':A-0004672', 4672, 64, 'A', 0, 0, 'net_namespace'],
  ['bdev_cache', '', 1600, 64, 'FaA', 40, 0, ''],
  [
    'file_lock_cache',
    ':0000192',
    192,
    8,
    '',
    21,
    0,
    'aio_kiocb bio_integrity_payload dmaengine-unmap-16 file_lock_cache inet_peer mfc6_cache mfc_cache rtable skbuff_ext_cache',
  ],
  ['skbuff_small_head', '', 704, 64, '', 46, 0, ''],
  ['uid_cache', ':0000128', 128, 64, '', 0, 0, 'backing_aio btree_node uid_cache'],
  ['biovec-max', ':0004096', 4096, 64, '', 48, 0, 'biovec-max sgpool-128'],
]

/** Caches that only the full kernel has: [name of the cache before it, facts]. */
const FULL_612_ADDED: readonly (readonly [string, SlabCacheFacts])[] = [
  [
    'sock_inode_cache',
    [
      'dmaengine-unmap-2',
      ':0000064',
      64,
      64,
      '',
      64,
      0,
      'dmaengine-unmap-2 fanotify_path_event iommu_iova jbd2_inode ksm_rmap_item ksm_stable_node',
    ],
  ],
  ['dmaengine-unmap-2', ['dmaengine-unmap-128', ':0001088', 1056, 64, '', 15, 0, 'dmaengine-unmap-128']],
  ['dmaengine-unmap-128', ['dmaengine-unmap-256', ':0002112', 2080, 64, '', 15, 0, 'dmaengine-unmap-256']],
  [
    'mb_cache_entry',
    ['jbd2_revoke_record_s', ':a-0000032', 32, 32, 'a', 0, 0, 'jbd2_revoke_record_s pending_reservation'],
  ],
]
/** Names of the cloud kernel that are merged into another cache in the full one. */
const FULL_612_GONE: readonly string[] = ['iommu_iova', 'pending_reservation']

/** ext4 is a module of the full kernel: these come last, in this order. */
const FULL_612_LATE: readonly string[] = [
  'mb_cache_entry',
  'jbd2_revoke_record_s',
  'jbd2_revoke_table_s',
  'jbd2_journal_head',
  'extent_status',
  'bio_post_read_ctx',
  'ext4_io_end',
  'ext4_io_end_vec',
  'ext4_prealloc_space',
  'ext4_allocation_context',
  'ext4_inode_cache',
]

function fullTable(): SlabCacheFacts[] {
  const table = SLAB_CACHES_612.filter(([name]) => !FULL_612_GONE.includes(name)).map(
    (row) => FULL_612.find(([name]) => name === row[0]) ?? row,
  )
  for (const [before, row] of FULL_612_ADDED) table.splice(table.findIndex(([name]) => name === before) + 1, 0, row)
  const late = FULL_612_LATE.map((name) => table.find((row) => row[0] === name)!)
  return [...table.filter((row) => !late.includes(row)), ...late]
}

/** Caches of the machine's kernel in order of creation. */
export function slabCacheTable(config: Pick<MachineConfig, 'series' | 'release'>): readonly SlabCacheFacts[] {
  if (config.series === '6.1') return SLAB_CACHES_61
  return config.release.includes('cloud') ? SLAB_CACHES_612 : fullTable()
}
