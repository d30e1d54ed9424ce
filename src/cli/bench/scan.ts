/** The classic policy at work: pages a second that reclaim looks at when neighbours on a list are far apart in memory. */
import { taskMemcg } from '../../engine/cgroup'
import { memcgState, MEMCG_STAT_PGREFILL, MEMCG_STAT_PGSCAN_DIRECT } from '../../engine/mm/memcg_stat'
import { listAddTail, listDel, listHead } from '../../engine/mm/memmap'
import { LRU_INACTIVE_FILE, lruAddDrainAll, lruvecOf } from '../../engine/mm/swap'
import { MAP_SHARED, PROT_READ } from '../../engine/task'
import { LOGIN_CGROUP } from '../../engine/user_commands'
import { assert } from '../../util/assert'
import { median, type Figure } from './figure'
import { benchMachine } from './machine'
import { shuffledIndices } from './measure'
import { runPlan, type PlannedOp, type Progress } from './toucher'

const BYTES = 1 << 30
const PAGES = BYTES / 4096
/** Of every ten pages this many are to be freed; each was used once and is spared once. */
const WANTED_PAGES = Math.floor(PAGES * 0.6)
const ROUNDS = 3
/** The first rounds run before the compiler has seen the whole path. */
const WARM_UP = 2

/** Pages that reclaim has looked at in the task's group, on inactive and active lists. */
const scanned = ({ state, task }: Progress): number =>
  memcgState(state, taskMemcg(state, task), MEMCG_STAT_PGSCAN_DIRECT) +
  memcgState(state, taskMemcg(state, task), MEMCG_STAT_PGREFILL)

/** Puts the group's inactive file list into random order. */
function shuffleList({ state, task }: Progress): void {
  lruAddDrainAll(state)
  const { lists } = lruvecOf(state, taskMemcg(state, task), 0)
  const pfns: number[] = []
  for (;;) {
    const pfn = listHead(lists, LRU_INACTIVE_FILE)
    if (pfn === 0) break
    listDel(state.memmap, lists, LRU_INACTIVE_FILE, pfn)
    pfns.push(pfn)
  }
  assert(pfns.length > WANTED_PAGES, `${pfns.length} pages on the inactive file list`)
  for (const i of shuffledIndices(pfns.length, 4711)) listAddTail(state.memmap, lists, LRU_INACTIVE_FILE, pfns[i]!)
}

interface Round {
  /** Looked at. */
  readonly pages: number
  readonly seconds: number
}

/** A machine of its own, so that every round finds the same lists. */
function round(): Round {
  let before = 0
  let pages = 0
  const plan: readonly PlannedOp[] = [
    () => ({ op: 'open', path: '/root/data', write: true, create: true }),
    ({ fd }) => ({ op: 'write', fd, length: BYTES }),
    ({ fd }) => ({ op: 'fsync', fd }),
    ({ fd }) => ({ op: 'mmap', length: BYTES, prot: PROT_READ, flags: MAP_SHARED, fd }),
    ({ address }) => ({ op: 'touch', address, length: BYTES, mode: 'read' }),
    (at) => {
      shuffleList(at)
      before = scanned(at)
      return {
        op: 'writeFile',
        path: `/sys/fs/cgroup${LOGIN_CGROUP}/memory.reclaim`,
        text: String(WANTED_PAGES * 4096),
      }
    },
    (at) => {
      pages = scanned(at) - before
      return { op: 'sleep', ns: 1 }
    },
  ]
  const seconds = runPlan({ ...benchMachine('laptop-16g'), mglru: false }, plan)
  return { pages, seconds: seconds[5]! }
}

export function scan(): Figure[] {
  const rounds = Array.from({ length: WARM_UP + ROUNDS }, round)
  const { pages } = rounds[0]!
  return [
    {
      id: 'reclaim-scan',
      title: 'pages scanned by classic reclaim, shuffled list',
      value: median(rounds.slice(WARM_UP).map((r) => r.pages / r.seconds)),
      unit: 'pages/s',
      aim: { kind: 'value', at: 5e6 },
      note: `mapped clean file pages, each referenced once; ${pages} looked at to free ${WANTED_PAGES}`,
    },
  ]
}
