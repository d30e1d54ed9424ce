/** The terms of the field, each in a sentence or two, and where they stand in a text. */
import { ALLOCATOR } from './text/glossary-allocator'
import { GROUPS_AND_POLICIES } from './text/glossary-groups'
import { PAGING_AND_RECLAIM } from './text/glossary-paging'
import { parseEntries } from './topic'

export interface Term {
  readonly name: string
  /** Other words for the same, plurals included. */
  readonly aliases: readonly string[]
  readonly text: string
  /** Those of its names that a text links; the others are too common to be meant each time. */
  readonly linked: readonly string[]
}

/** A term as it stands in a text. */
export interface TermPlace {
  readonly term: Term
  readonly start: number
  readonly end: number
}

const QUIET = '~'
const plain = (name: string): string => (name.startsWith(QUIET) ? name.slice(QUIET.length) : name)

function toTerm([head, text]: readonly [string, string]): Term {
  const written = head.split(', ')
  const [name = '', ...aliases] = written.map(plain)
  return { name, aliases, text, linked: written.filter((one) => !one.startsWith(QUIET)) }
}

const order = (a: string, b: string): number => {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()]
  return x < y ? -1 : x > y ? 1 : 0
}

/** All terms, by name. */
export const glossary: readonly Term[] = [ALLOCATOR, PAGING_AND_RECLAIM, GROUPS_AND_POLICIES]
  .flatMap((text) => [...parseEntries(text)].map(toTerm))
  .sort((a, b) => order(a.name, b.name))

const byName = new Map(
  glossary.flatMap((term) => [term.name, ...term.aliases].map((name) => [name.toLowerCase(), term])),
)

/** The term with this name, whatever its case; a plural is one of the names. */
export const termNamed = (name: string): Term | undefined => byName.get(name.toLowerCase())

const escaped = (name: string): string => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** A name as a sentence may write it: its first letter large or small, unless the name is capitals. */
function spelling(name: string): string {
  const first = name.charAt(0)
  const isWord = first !== first.toUpperCase()
  return isWord ? `[${first.toUpperCase()}${first}]${escaped(name.slice(1))}` : escaped(name)
}

// Longer names first: "TLB miss" before "TLB".
const pattern = new RegExp(
  `(?<![\\w./-])(?:${glossary
    .flatMap((term) => term.linked)
    .sort((a, b) => b.length - a.length || order(a, b))
    .map(spelling)
    .join('|')})(?![\\w/-]|\\.\\w)`,
  'g',
)

/** Where a text first speaks of each term. @param known  names of terms that need no link any more; those found are added */
export function termsIn(text: string, known: Set<string>): readonly TermPlace[] {
  const places: TermPlace[] = []
  for (const match of text.matchAll(pattern)) {
    const term = termNamed(match[0])
    if (term === undefined || known.has(term.name)) continue
    known.add(term.name)
    places.push({ term, start: match.index, end: match.index + match[0].length })
  }
  return places
}

/** Terms whose name, other names or text contain all words of a search, those with the name first. */
export function searchTerms(words: string): readonly Term[] {
  const wanted = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const names = (term: Term): string => [term.name, ...term.aliases].join(' ').toLowerCase()
  const inName = (term: Term): boolean => wanted.every((word) => names(term).includes(word))
  const found = glossary.filter((term) =>
    wanted.every((word) => `${names(term)} ${term.text.toLowerCase()}`.includes(word)),
  )
  return [...found.filter(inName), ...found.filter((term) => !inName(term))]
}
