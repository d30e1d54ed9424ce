/**
 * The Markdown that labs are written in, as a tree: headings, paragraphs, lists, code, emphasis and links. Nothing in it
 * becomes HTML by itself, so a lab from a stranger can say nothing but text. Pure.
 */
export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'strong' | 'em'; readonly children: readonly Inline[] }
  | { readonly kind: 'link'; readonly href: string; readonly children: readonly Inline[] }
  /** `[Buddy](view:buddy)` opens a view of the workbench. */
  | { readonly kind: 'view'; readonly view: string; readonly children: readonly Inline[] }

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly children: readonly Inline[] }
  | { readonly kind: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly kind: 'code'; readonly language: string; readonly text: string }
  | { readonly kind: 'list'; readonly isOrdered: boolean; readonly items: readonly (readonly Inline[])[] }

const FENCE = /^```\s*(\w*)\s*$/
const HEADING = /^(#{1,4})\s+(.*)$/
const BULLET = /^\s*[-*]\s+(.*)$/
const NUMBERED = /^\s*\d+[.)]\s+(.*)$/

export function parseMarkdown(text: string): readonly Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  let at = 0
  while (at < lines.length) {
    const line = lines[at]!
    const fence = FENCE.exec(line)
    const heading = HEADING.exec(line)
    if (line.trim() === '') at++
    else if (fence) {
      const end = lines.findIndex((other, i) => i > at && /^```\s*$/.test(other))
      const last = end < 0 ? lines.length : end
      blocks.push({ kind: 'code', language: fence[1]!, text: lines.slice(at + 1, last).join('\n') })
      at = last + 1
    } else if (heading) {
      blocks.push({ kind: 'heading', level: heading[1]!.length, children: parseInline(heading[2]!) })
      at++
    } else if (BULLET.test(line) || NUMBERED.test(line)) {
      const { items, next } = takeItems(lines, at, BULLET.test(line) ? BULLET : NUMBERED)
      blocks.push({ kind: 'list', isOrdered: !BULLET.test(line), items: items.map(parseInline) })
      at = next
    } else {
      const end = lines.findIndex((other, i) => i > at && startsBlock(other))
      const last = end < 0 ? lines.length : end
      blocks.push({ kind: 'paragraph', children: parseInline(joined(lines.slice(at, last))) })
      at = last
    }
  }
  return blocks
}

const startsBlock = (line: string): boolean =>
  line.trim() === '' || FENCE.test(line) || HEADING.test(line) || BULLET.test(line) || NUMBERED.test(line)
const joined = (lines: readonly string[]): string => lines.map((line) => line.trim()).join(' ')

/** Items of one list; an indented line belongs to the item above it. */
function takeItems(lines: readonly string[], from: number, pattern: RegExp): { items: string[]; next: number } {
  const items: string[] = []
  let at = from
  for (; at < lines.length; at++) {
    const item = pattern.exec(lines[at]!)
    if (item) items.push(item[1]!)
    else if (/^\s+\S/.test(lines[at]!) && items.length > 0) items[items.length - 1] += ` ${lines[at]!.trim()}`
    else break
  }
  return { items, next: at }
}

/** Code first: nothing inside it is markup. */
const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|\*([^\s*](?:[^*]*[^\s*])?)\*|\[([^\]]+)\]\(([^)\s]+)\)/

export function parseInline(text: string): readonly Inline[] {
  const match = INLINE.exec(text)
  if (!match) return text === '' ? [] : [{ kind: 'text', text }]
  const before = text.slice(0, match.index)
  const [whole, code, strong, em, label, href] = match
  return [
    ...(before ? [{ kind: 'text', text: before } as const] : []),
    one(),
    ...parseInline(text.slice(match.index + whole.length)),
  ]

  function one(): Inline {
    if (code !== undefined) return { kind: 'code', text: code }
    if (strong !== undefined) return { kind: 'strong', children: parseInline(strong) }
    if (em !== undefined) return { kind: 'em', children: parseInline(em) }
    if (VIEW.test(href!)) return { kind: 'view', view: href!.slice('view:'.length), children: parseInline(label!) }
    return isSafe(href!) ? { kind: 'link', href: href!, children: parseInline(label!) } : { kind: 'text', text: label! }
  }
}

const VIEW = /^view:[a-z-]+$/

/** Only pages of the web, and only encrypted ones. */
function isSafe(href: string): boolean {
  try {
    return new URL(href).protocol === 'https:'
  } catch {
    return false
  }
}

const plainInline = (children: readonly Inline[]): string =>
  children.map((child) => ('text' in child ? child.text : plainInline(child.children))).join('')

/** The first sentence of a text without its markup, for a line that stands for all of it. */
export function firstSentence(text: string): string {
  const block = parseMarkdown(text).find((other) => other.kind === 'heading' || other.kind === 'paragraph')
  const plain = block && 'children' in block ? plainInline(block.children) : ''
  return /^.*?[.?!](?=\s|$)/.exec(plain)?.[0].replace(/\.$/, '') ?? plain
}
