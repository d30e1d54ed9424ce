/** What a person may look for on the map, as they type it. Pure. */
import { userError, ok, type Result } from '../../../util/result'
import { PAGE_SIZE, type Pfn } from '../../../util/units'

export type MapTarget =
  | { readonly kind: 'frame'; readonly pfn: Pfn }
  | { readonly kind: 'process' | 'cgroup' | 'slab'; readonly subject: string }

/** What there is to find. */
export interface MapNames {
  readonly endPfn: Pfn
  readonly caches: readonly string[]
  readonly groups: readonly string[]
  readonly tasks: readonly { readonly pid: number; readonly comm: string }[]
}

const hex = (value: number): string => `0x${value.toString(16)}`

const FIX = 'Type a pfn (0x1a2b), a physical address (addr 0x1a2b000), pid 412, a group (/a) or a slab cache (dentry).'

/** 'pfn 0x13656f', '0x13656f000', 'pid 412', 'stress', '/a', 'cache dentry'. */
export function parseTarget(text: string, names: MapNames): Result<MapTarget> {
  const [first = '', second = ''] = text.trim().split(/\s+/)
  if (first === '') return userError('map/target', 'go to', 'Nothing to go to.', FIX)
  const word = first.toLowerCase()
  if (word === 'pfn') return frameOf(second, names.endPfn)
  if (word === 'addr' || word === 'address') return addressOf(second, names.endPfn)
  if (word === 'pid') return processOf(second, names)
  if (word === 'cgroup' || first.startsWith('/')) return groupOf(word === 'cgroup' ? second : first, names)
  if (word === 'cache' || word === 'slab') return cacheOf(second, names)
  if (/^(0x[0-9a-f]+|\d+)$/i.test(first)) return numberOf(first, names.endPfn)
  if (names.caches.includes(first)) return ok({ kind: 'slab', subject: first })
  const task = names.tasks.find(({ comm }) => comm === first)
  if (task) return ok({ kind: 'process', subject: String(task.pid) })
  return userError('map/target', text, 'No frame, process, group or slab cache has this name.', FIX)
}

const parse = (text: string): number => (/^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN)

function frameOf(text: string, endPfn: Pfn): Result<MapTarget> {
  const pfn = parse(text)
  if (Number.isNaN(pfn)) return userError('map/target', text, 'This is no number.', FIX)
  if (pfn < endPfn) return ok({ kind: 'frame', pfn })
  return userError('map/target', text, `The last frame is pfn ${hex(endPfn - 1)}.`, `Type 0 to ${hex(endPfn - 1)}.`)
}

function addressOf(text: string, endPfn: Pfn): Result<MapTarget> {
  const address = parse(text)
  if (Number.isNaN(address)) return userError('map/target', text, 'This is no number.', FIX)
  const end = endPfn * PAGE_SIZE
  if (address < end) return ok({ kind: 'frame', pfn: Math.floor(address / PAGE_SIZE) })
  return userError('map/target', text, `Memory ends at ${hex(end)}.`, `Type an address below ${hex(end)}.`)
}

/** A number is a frame where there is one, else an address. */
function numberOf(text: string, endPfn: Pfn): Result<MapTarget> {
  const value = parse(text)
  if (value < endPfn) return ok({ kind: 'frame', pfn: value })
  if (value < endPfn * PAGE_SIZE) return ok({ kind: 'frame', pfn: Math.floor(value / PAGE_SIZE) })
  const ends = `frames end at ${hex(endPfn - 1)}, addresses at ${hex(endPfn * PAGE_SIZE - 1)}`
  return userError('map/target', text, `That is behind the last frame: ${ends}.`, FIX)
}

function processOf(text: string, { tasks }: MapNames): Result<MapTarget> {
  if (tasks.some(({ pid }) => String(pid) === text)) return ok({ kind: 'process', subject: text })
  return userError('map/target', `pid ${text}`, 'There is no such process.', 'Take a pid from the Processes view.')
}

function groupOf(text: string, { groups }: MapNames): Result<MapTarget> {
  if (groups.includes(text)) return ok({ kind: 'cgroup', subject: text })
  const fix = `Known: ${groups.slice(0, 6).join(', ')}${groups.length > 6 ? ' …' : ''}.`
  return userError('map/target', text, 'There is no such memory cgroup.', fix)
}

function cacheOf(text: string, { caches }: MapNames): Result<MapTarget> {
  if (caches.includes(text)) return ok({ kind: 'slab', subject: text })
  return userError('map/target', text, 'There is no such slab cache.', 'Take a name from the Slab view.')
}
