/**
 * What will happen: kinds of events as plain data. Handlers are in sched.ts's neighbours, bound in index.ts's table.
 */
export type SimEvent =
  /** A CPU continues with its run queue. */
  | { readonly kind: 'cpuRun'; readonly cpu: number }
  /** A sleeping task's timer. Stale when task.wakeSequence moved on. */
  | { readonly kind: 'taskWake'; readonly pid: number; readonly sequence: number }
  /** kswapd's nap of HZ/10 is over. */
  | { readonly kind: 'kswapdNap'; readonly nid: number; readonly sequence: number }
  /** kcompactd looks at its node's fragmentation. Stale when the node's sequence moved on. */
  | { readonly kind: 'kcompactdTimer'; readonly nid: number; readonly sequence: number }
  /** One I/O request finished: `pfns` of a read become uptodate, of a write lose writeback. */
  | { readonly kind: 'ioDone'; readonly device: number; readonly write: boolean; readonly pfns: readonly number[] }
  /** Two seconds after a kill: unmap the victim if it still holds its memory. */
  | { readonly kind: 'oomReap'; readonly pid: number; readonly tries: number }
  /** Pages of an address space follow its cpuset to other nodes. */
  | {
      readonly kind: 'cpusetMigrate'
      readonly mm: number
      /** Its mm_struct: another one means that the address space is gone. */
      readonly object: number
      readonly from: readonly number[]
      readonly to: readonly number[]
      readonly pair: number
      readonly at: number
    }
  | { readonly kind: 'psiTick' }
  /** The load averages take another sample. */
  | { readonly kind: 'loadTick' }
  /** Flusher threads: periodic write-back of dirty file pages. */
  | { readonly kind: 'writebackTick'; readonly sequence: number }
  /** Laptop mode: seconds after a request of the disk. Stale when another one ended since. */
  | { readonly kind: 'laptopTimer'; readonly device: number; readonly sequence: number }
  /** Flusher threads: somebody has dirtied more than the background limit. */
  | { readonly kind: 'writebackBackground' }
  /** Worker that writes compressed pages on to their swap device. */
  | { readonly kind: 'zswapShrink'; readonly failures: number }
  /** Worker that sums up the counts of memory groups. */
  | { readonly kind: 'memcgFlush' }
  /** vmstat worker: folds, decays pcp lists. */
  | { readonly kind: 'vmstatTick' }
  /** Work for another CPU: drain its memcg stock. */
  | { readonly kind: 'drainStock'; readonly cpu: number; readonly memcg: number }
  /** memory.max was set below usage by this task: kill on until it fits. */
  | { readonly kind: 'memoryMax'; readonly memcg: number; readonly pid: number }
  /** A module's timer; stale when the module was loaded anew. */
  | { readonly kind: 'moduleTimer'; readonly name: string; readonly sequence: number }
  /** An access by hand is made again: what it waited for may be there. */
  | { readonly kind: 'touchByHand'; readonly id: number }
  /** A request by hand goes on in the allocator's slow path. */
  | { readonly kind: 'allocPagesByHand'; readonly id: number }
