/** Names and colours of the kinds of each sorting, in the order of the legend. Pure: colours come out of tokens. */
import {
  AGE_FREE,
  AGE_NO_LRU,
  AGE_OFF_LIST,
  AGE_UNEVICTABLE,
  AGE_YOUNGEST,
  CELL_UNREAD,
  FRAME_ANON,
  FRAME_FILE,
  FRAME_FREE,
  FRAME_HOLE,
  FRAME_HUGE,
  FRAME_KERNEL,
  FRAME_PCP,
  FRAME_PGTABLE,
  FRAME_RESERVED,
  FRAME_SLAB,
  KIND_USED,
  MIGRATE_NAMES,
  ORDER_COMPOUND,
  ORDER_PCP,
  ORDER_SINGLE,
  SUBJECT_FREE,
  SUBJECT_NONE,
  SUBJECT_OTHER,
  SUBJECT_OWN,
  SUBJECT_PARTLY,
  SUBJECT_TABLE,
  ZONE_NAMES,
  type PageColour,
} from '../../../protocol/page-map'
import type { TokenReader } from '../../theme/tokens'
import type { Inks } from './raster'

/** A token, or one mixed into the ground: 1 is the token alone. */
export interface Ink {
  readonly token: string
  readonly share: number
}

export interface Kind {
  readonly kind: number
  readonly label: string
  readonly ink: Ink
  /** Drawn with the ground, or with `over`, in between. */
  readonly pattern?: 'hatch' | 'check'
}

const ink = (token: string, share = 1): Ink => ({ token, share })
const kind = (number: number, label: string, token: string, share = 1): Kind => ({
  kind: number,
  label,
  ink: ink(token, share),
})

const RESERVED: Kind = { kind: FRAME_RESERVED, label: 'reserved', ink: ink('--o-reserved'), pattern: 'hatch' }
const HOLE: Kind = { kind: FRAME_HOLE, label: 'hole', ink: ink('--o-reserved', 0.45), pattern: 'hatch' }

const OWNERS: readonly Kind[] = [
  kind(FRAME_ANON, 'anon', '--o-anon'),
  kind(FRAME_HUGE, 'huge', '--o-huge'),
  kind(FRAME_FILE, 'file', '--o-file'),
  kind(FRAME_SLAB, 'slab', '--o-slab'),
  kind(FRAME_PGTABLE, 'page table', '--o-pgtable'),
  kind(FRAME_KERNEL, 'kernel', '--o-kernel'),
  { kind: FRAME_PCP, label: 'per-CPU', ink: ink('--o-free-edge'), pattern: 'check' },
  kind(FRAME_FREE, 'free', '--o-free'),
]

const FREE_SHARE = 0.35
const pair = (number: number, name: string, token: string): Kind[] => [
  kind(KIND_USED + 2 * number, name, token),
  kind(KIND_USED + 2 * number + 1, `free ${name}`, token, FREE_SHARE),
]

const ZONE_TOKENS = ['--m-unmovable', '--m-reclaimable', '--m-movable', '--m-highatomic', '--m-cma']
const TYPE_TOKENS = ['--m-unmovable', '--m-movable', '--m-reclaimable', '--m-highatomic', '--m-isolate']

const ORDERS: readonly Kind[] = [
  ...Array.from({ length: 11 }, (_, order) => kind(KIND_USED + order, `order ${order}`, '--o-slab', 1 - order * 0.085)),
  { kind: ORDER_PCP, label: 'per-CPU', ink: ink('--o-free-edge'), pattern: 'check' },
  kind(ORDER_SINGLE, 'in use', '--o-kernel', 0.35),
  kind(ORDER_COMPOUND, 'compound', '--o-kernel'),
]

const MGLRU_AGES = ['youngest generation', 'second', 'third', 'oldest generation']
const CLASSIC_AGES = ['active list', '', '', 'inactive list']

const ages = (isMglru: boolean): Kind[] => [
  ...(isMglru ? MGLRU_AGES : CLASSIC_AGES).flatMap((label, age) =>
    label === '' ? [] : [kind(AGE_YOUNGEST + age, label, '--o-anon', [1, 0.72, 0.5, 0.3][age]!)],
  ),
  kind(AGE_OFF_LIST, 'on its way to a list', '--o-file'),
  kind(AGE_UNEVICTABLE, 'unevictable', '--o-huge'),
  kind(AGE_NO_LRU, 'on no LRU list', '--o-kernel', 0.45),
  kind(AGE_FREE, 'free', '--o-free'),
]

const subjects = (own: string, partly: string, other: string, none: string, table: string): Kind[] => [
  kind(SUBJECT_OWN, own, '--o-anon'),
  ...(partly === '' ? [] : [kind(SUBJECT_PARTLY, partly, '--o-huge')]),
  ...(table === '' ? [] : [kind(SUBJECT_TABLE, table, '--o-pgtable')]),
  kind(SUBJECT_OTHER, other, '--o-reserved', 0.7),
  kind(SUBJECT_NONE, none, '--o-reserved', 0.35),
  kind(SUBJECT_FREE, 'free', '--o-free'),
]

/** Kinds of a sorting, as the legend shows them. */
export function kindsOf(colour: PageColour, subject: string, isMglru: boolean): readonly Kind[] {
  switch (colour) {
    case 'owner':
      return [...OWNERS, RESERVED, HOLE]
    case 'zone':
      return [...ZONE_NAMES.slice(0, 4).flatMap((name, z) => pair(z, name, ZONE_TOKENS[z]!)), RESERVED, HOLE]
    case 'migratetype':
      return [...MIGRATE_NAMES.flatMap((name, t) => pair(t, name, TYPE_TOKENS[t]!)), RESERVED, HOLE]
    case 'order':
      return [...ORDERS, RESERVED, HOLE]
    case 'age':
      return [...ages(isMglru), RESERVED, HOLE]
    case 'cgroup':
      return [...subjects(subject, 'groups below it', 'other groups', 'charged to nobody', ''), RESERVED, HOLE]
    case 'process':
      return [
        ...subjects(`only pid ${subject}`, 'shared with others', 'other processes', 'not mapped', 'its page tables'),
        RESERVED,
        HOLE,
      ]
    case 'slab':
      return [...subjects(subject, '', 'other caches', 'no slab', ''), RESERVED, HOLE]
  }
}

export type Rgb = readonly [number, number, number]

/** '#1a2b3c' or '#fff' → its parts; tokens are written so, and a build may shorten them. */
export function parseColour(text: string): Rgb {
  const digits = text.length === 4 ? text.slice(1).replace(/./g, '$&$&') : text.slice(1, 7)
  const value = Number.parseInt(digits, 16) || 0
  return [value >> 16, (value >> 8) & 255, value & 255]
}

const mix = (a: Rgb, b: Rgb, share: number): Rgb => [
  Math.round(a[0] * share + b[0] * (1 - share)),
  Math.round(a[1] * share + b[1] * (1 - share)),
  Math.round(a[2] * share + b[2] * (1 - share)),
]

const abgr = ([r, g, b]: Rgb): number => (0xff000000 | (b << 16) | (g << 8) | r) >>> 0

export const cssColour = (token: TokenReader, { token: name, share }: Ink): string => {
  const [r, g, b] = mix(parseColour(token(name)), parseColour(token('--s-0')), share)
  return `rgb(${r} ${g} ${b})`
}

/** How much of its colour a kind keeps that was not chosen in the legend. */
const FADED = 0.18

/** @param chosen  kinds that stand out; empty = all of them */
export function inksOf(kinds: readonly Kind[], chosen: ReadonlySet<number>, token: TokenReader): Inks {
  const ground = parseColour(token('--s-0'))
  const first = new Uint32Array(256).fill(abgr(ground))
  const second = new Uint32Array(256).fill(abgr(ground))
  const pattern = new Uint8Array(256)
  const set = (number: number, colour: Rgb, behind: Rgb, how: Kind['pattern']): void => {
    first[number] = abgr(how === undefined ? colour : behind)
    second[number] = abgr(colour)
    pattern[number] = how === undefined ? 0 : how === 'hatch' ? 1 : 2
  }
  for (const {
    kind: number,
    ink: { token: name, share },
    pattern: how,
  } of kinds) {
    const own = mix(parseColour(token(name)), ground, share)
    const isFaded = chosen.size > 0 && !chosen.has(number)
    const behind = how === 'check' ? parseColour(token('--o-free')) : ground
    set(number, isFaded ? mix(own, ground, FADED) : own, isFaded ? mix(behind, ground, FADED) : behind, how)
  }
  set(CELL_UNREAD, parseColour(token('--s-2')), ground, undefined)
  return { first, second, pattern, ground: abgr(ground) }
}
