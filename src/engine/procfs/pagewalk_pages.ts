/**
 * /sys/kernel/debug/pagewalk/pages: page frames by hand. Written: `alloc order=3 gfp=GFP_KERNEL [node=0] [count=8]`,
 * `free PFN`, `free id=ID`. Read: what is held, a line a block.
 */
import type { Errno } from '../../util/errno'
import { klog } from '../klog'
import { allocByHand, freePageByHand, freeRequestByHand, HAND_COUNT_MAX, type HeldBlocks } from '../mm/by_hand_pages'
import { parseUnsigned, parseWords, type Words } from '../mm/by_hand_words'
import { gfpMigratetype, MIGRATE_NAMES, ZONE_NAMES } from '../mm/gfp'
import { formatGfp } from '../mm/gfp_names'
import { parseGfp } from '../mm/gfp_parse'
import { pageZoneIndex } from '../mm/memmap'
import type { KernelState } from '../state'
import type { PseudoFile } from './types'

const HEADER = `${'id'.padStart(6)} ${'pfn'.padEnd(12)} order ${'migratetype'.padEnd(11)} ${'node zone'.padEnd(14)}`

function lines(state: KernelState, blocks: HeldBlocks): string[] {
  const type = MIGRATE_NAMES[gfpMigratetype(blocks.gfp)]!.padEnd(11)
  const seconds = `${Math.floor(blocks.atNs / 1e9)}.${String(Math.floor(blocks.atNs / 1000) % 1e6).padStart(6, '0')}`
  const start = String(blocks.id).padStart(6)
  const order = String(blocks.order).padStart(5)
  const tail = `${seconds.padStart(14)} ${formatGfp(blocks.gfp)}`
  const held = blocks.pfns.map((pfn) => {
    const zone = state.zones[pageZoneIndex(state.memmap, pfn)]!
    const where = `${String(zone.nid).padStart(4)} ${ZONE_NAMES[zone.idx]}`
    return `${start} ${`0x${pfn.toString(16)}`.padEnd(12)} ${order} ${type} ${where.padEnd(14)} ${tail}`
  })
  const missing = blocks.count - blocks.pfns.length
  const isWaiting = state.handPages.waiting.some((w) => w.id === blocks.id)
  if (!isWaiting) return held
  return [...held, `${start} ${'waiting'.padEnd(12)} ${order} ${type} ${`${missing} to go`.padEnd(14)} ${tail}`]
}

function read(state: KernelState): string {
  const rows = [...state.handPages.held, ...state.handPages.waiting].flatMap((blocks) => lines(state, blocks))
  return `${[`${HEADER} ${'time'.padStart(14)} gfp`, ...rows].join('\n')}\n`
}

/** The kernel's refusal, and in the kernel log why. */
function refuse(state: KernelState, errno: Errno, why: string): Errno {
  klog(state, `pagewalk/pages: ${why}`)
  return errno
}

const USAGE = "write 'alloc order=N gfp=FLAGS [node=N] [count=N]', 'free PFN' or 'free id=N'"

function alloc(state: KernelState, { values, operands }: Words): Errno | undefined {
  const number = (key: string, absent: number): number | undefined =>
    values[key] === undefined ? absent : parseUnsigned(values[key])
  const order = number('order', 0)
  const count = number('count', 1)
  const node = number('node', -1)
  const gfp = parseGfp(values['gfp'] ?? 'GFP_KERNEL', state.config.series)
  const isFree = values['id'] !== undefined || values['pfn'] !== undefined
  if (operands.length > 0 || isFree || order === undefined) return refuse(state, 'EINVAL', USAGE)
  if (count === undefined || count < 1 || count > HAND_COUNT_MAX)
    return refuse(state, 'EINVAL', `count=${values['count']} is not 1 to ${HAND_COUNT_MAX}`)
  if (node === undefined || (node >= 0 && state.nodes[node] === undefined))
    return refuse(state, 'EINVAL', `node=${values['node']}: this machine has nodes 0 to ${state.nodes.length - 1}`)
  if (gfp === undefined)
    return refuse(
      state,
      'EINVAL',
      `gfp=${values['gfp']}: write names of the kernel joined by |, of one zone and one kind of mobility`,
    )
  return allocByHand(state, { order, gfp, nid: node, count })
}

function free(state: KernelState, { values, operands }: Words): Errno | undefined {
  const { id, pfn = operands[0], ...others } = values
  const number = parseUnsigned(id ?? pfn ?? '')
  const isOne = (id === undefined) !== (pfn === undefined) && operands.length <= 1
  if (!isOne || Object.keys(others).length > 0 || number === undefined) return refuse(state, 'EINVAL', USAGE)
  const errno = id === undefined ? freePageByHand(state, number) : freeRequestByHand(state, number)
  if (errno === 'ENOENT') return refuse(state, errno, `no request ${number} is held`)
  if (errno !== 'EPERM') return errno
  const isRequest = state.handPages.held.some((held) => held.id === number)
  const fix = isRequest ? `; request ${number} is given back with 'free id=${number}'` : ''
  return refuse(state, errno, `pfn ${number} belongs to somebody else${fix}`)
}

function write(state: KernelState, text: string): Errno | undefined {
  const words = parseWords(text, ['order', 'gfp', 'node', 'count', 'id', 'pfn'])
  if (typeof words === 'string') return refuse(state, 'EINVAL', words)
  if (words.verb === 'alloc') return alloc(state, words)
  return words.verb === 'free' ? free(state, words) : refuse(state, 'EINVAL', USAGE)
}

export const pagesFile: PseudoFile = { read, write }
