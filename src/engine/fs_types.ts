/**
 * The virtual file system's plain data: inodes of tmpfs and disk file systems, mounts, block devices.
 * Pseudo file systems (/proc, /sys, cgroup2) have no inodes: procfs/index.ts answers for their paths.
 */
import type { Bytes, Ns } from '../util/units'
import type { Zram } from './mm/zram'
import type { HugetlbFile } from './mm/hugetlb_pool'
import type { Readahead } from './task'

export interface Inode {
  readonly ino: number
  kind: 'file' | 'dir' | 'device' | 'symlink'
  readonly fs: 'tmpfs' | 'ext4' | 'devtmpfs' | 'hugetlbfs'
  /** Name → inode number of a directory. */
  entries: Record<string, number>
  size: Bytes
  /** Text of a file that somebody wrote text to; data without content has size only. */
  content: string
  /** Symlink target. */
  target: string
  /** Block device number (state.devices) of an ext4 file, −1 otherwise; of a device node: that device. */
  device: number
  /** Page cache: page index → pfn; 0 hole; negative (tmpfs) = −(swap slot + 1). Grows on demand. */
  pages: Int32Array
  /** What eviction left behind (workingset.ts), 0 none. Grows on demand. */
  shadows: Float64Array
  nrPages: number
  /** Slots in use (page or shadow) of each tree node of 64, and the address of the node, 0 none. */
  treeUse: Uint8Array
  treeNodes: Float64Array
  /** Pages alone in each of these nodes, and its row while it holds shadows only. Owner: mm/shadow_nodes.ts */
  treePages: Uint8Array
  treeRows: Int32Array
  /** Address of the inode in memory, 0 = only its file exists. Owner: fs/dcache.ts */
  slab: number
  /** Row of its name in state.dcache, 0 none. */
  dentry: number
  /** INODE_* */
  icache: number
  /** Open descriptors and mappings; an unlinked inode is freed when this is 0. */
  users: number
  linked: boolean
  nrDirty: number
  /** Page at which writing back goes on. Owner: mm/flusher.ts @kernel mapping->writeback_index */
  writebackIndex?: number
  /** tmpfs: pages promised for it. All at once when isReserved (shared memory without a name), else page by page. */
  committed: number
  isReserved: boolean
  /** Read-ahead of mapped faults. @simplifies one a file instead of one an open file */
  readonly mmapRa: Readahead
  /** Of a hugetlbfs file: its pages come from the pool. Owner: mm/hugetlb_reserve.ts */
  hugetlb?: HugetlbFile
}

export interface Mount {
  readonly path: string
  readonly fs: 'tmpfs' | 'ext4' | 'devtmpfs' | 'proc' | 'sysfs' | 'cgroup2' | 'tracefs' | 'debugfs'
  readonly root: number
  readonly readOnly: boolean
  readonly source: string
}

export interface BlockDevice {
  readonly path: string
  readonly sizeBytes: Bytes
  readonly readNs: Ns
  readonly writeNs: Ns
  readonly perPageNs: Ns
  readonly rotational: boolean
  /** Inode numbers of its file system's root, 0 = none. */
  rootIno: number
  isSwapFormatted: boolean
  /** The device is busy until then: one queue, first come first served. */
  busyUntilNs: Ns
  readBytes: Bytes
  writtenBytes: Bytes
  /** Requests under way, oldest first; createBlockDevice(). Owner: mm/block.ts */
  readonly inflight: IoRequest[]
  /** Laptop mode: number of the timer that runs, undefined until there was one. Owner: mm/block.ts */
  laptopTimer?: number
  /** Of a device in memory: reads and writes are done on the spot. Owner: mm/zram.ts */
  readonly zram?: Zram
}

/** One request of a device's queue. */
export interface IoRequest {
  readonly doneNs: Ns
  readonly write: boolean
  readonly pfns: readonly number[]
}
