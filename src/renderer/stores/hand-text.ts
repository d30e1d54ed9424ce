/** The files of /sys/kernel/debug/pagewalk as rows: what a person holds, and what happened last. Pure. */

/** One allocation in the person's hand. */
export interface HeldRow {
  readonly id: number
  readonly address: number
  readonly pfn: number
  /** Everything else of the line by its key: 'cache', 'order', 'path' … */
  readonly values: Readonly<Record<string, string>>
}

export interface HandText {
  readonly held: readonly HeldRow[]
  /** The last operation: 'alloc' or 'free', its number, and the way that it took; undefined: none yet. */
  readonly last: { readonly verb: string; readonly id: number; readonly path: string } | undefined
}

export const EMPTY_HAND: HandText = { held: [], last: undefined }

const LAST = /^# last: (\w+) (\d+) ?(\S*)/

export function parseHand(text: string): HandText {
  const lines = text.split('\n')
  const held = lines.flatMap((line): HeldRow[] => {
    const [id = '', address = '', ...words] = line.split(/\s+/)
    if (!/^\d+$/.test(id)) return []
    const values = Object.fromEntries(
      words.flatMap((word) => {
        const at = word.indexOf('=')
        return at < 0 ? [] : [[word.slice(0, at), word.slice(at + 1)] as const]
      }),
    )
    return [{ id: Number(id), address: Number(address), pfn: Number(values['pfn'] ?? 0), values }]
  })
  const last = lines.map((line) => LAST.exec(line)).find((found) => found !== null)
  return { held, last: last ? { verb: last[1]!, id: Number(last[2]), path: last[3]! } : undefined }
}

/** A block of pages in the person's hand, or one that still waits for memory. */
export interface HeldPages {
  readonly id: number
  /** 0 while it waits. */
  readonly pfn: number
  readonly order: number
  readonly type: string
  readonly nid: number
  readonly zone: string
  /** '0xcc0(GFP_KERNEL)' */
  readonly gfp: string
}

export const parsePages = (text: string): readonly HeldPages[] =>
  text.split('\n').flatMap((line): HeldPages[] => {
    const [id = '', pfn = '', order, type = '', nid, zone = '', ...rest] = line.trim().split(/\s+/)
    if (!/^\d+$/.test(id)) return []
    const isWaiting = pfn === 'waiting'
    return [
      {
        id: Number(id),
        pfn: isWaiting ? 0 : Number(pfn),
        order: Number(order),
        type,
        nid: isWaiting ? -1 : Number(nid),
        zone: isWaiting ? 'waiting' : zone,
        gfp: rest.at(-1) ?? '',
      },
    ]
  })

/** The kernel's explanation of the last refusal: the end of its log, without time and prefix. */
export function explanationIn(log: string, kind: string): string {
  const line = log
    .trimEnd()
    .split('\n')
    .findLast((each) => each.includes(`pagewalk/${kind}: `))
  return line === undefined ? '' : line.slice(line.indexOf(`pagewalk/${kind}: `) + kind.length + 11)
}
