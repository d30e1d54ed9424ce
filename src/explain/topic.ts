/** A topic: one file, or one family of files, with a sentence for each name in it. */

/** How the text of a file names what it says. */
export type Layout =
  /** Each line carries its names: the first group of each match. `shape` knows such a line where no file is named. */
  | { readonly kind: 'lines'; readonly name: RegExp; readonly shape?: RegExp }
  /** One line of numbers without names, in the order of the entries. */
  | { readonly kind: 'fields' }
  /** A table whose rows repeat: the entries are its columns, or the words that may stand in a row. */
  | { readonly kind: 'columns' }
  /** The file is one value, or free text, and its own name is the entry. */
  | { readonly kind: 'value' }
  /** The picture that a command prints: the entries are its columns, which this header line announces. */
  | { readonly kind: 'tool'; readonly header: RegExp }

export const BEFORE_COLON: Layout = { kind: 'lines', name: /^([\w()]+):/g }
export const FIRST_WORD: Layout = { kind: 'lines', name: /^([a-z_]\w*) /g, shape: /^[a-z_]\w* (?:\d+|N0=.*)$/ }
export const COLUMNS: Layout = { kind: 'columns' }
export const VALUE: Layout = { kind: 'value' }

export interface Topic {
  /** As a person would write it: `/proc/PID/status`, `/proc/sys/vm`, `vmstat`. */
  readonly id: string
  /** Absolute paths of the files meant. In a topic of values the first group is the entry's name. */
  readonly path: RegExp | undefined
  /** What the whole file is. */
  readonly about: string
  readonly layout: Layout
  readonly entries: ReadonlyMap<string, string>
  /** Names that this topic does not explain itself are those of that one. */
  readonly also: Topic | undefined
}

export interface TopicRow {
  readonly id: string
  readonly path?: RegExp
  readonly about: string
  readonly layout: Layout
  readonly text: string
  readonly also?: Topic
}

/** A row of the table → a topic. */
export const topic = ({ id, path, about, layout, text, also }: TopicRow): Topic => ({
  id,
  path,
  about,
  layout,
  entries: parseEntries(text),
  also,
})

/** `name: sentence` a line; an indented line goes on with the one above it. */
export function parseEntries(text: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>()
  let last: string | undefined
  for (const line of text.split('\n')) {
    if (line.startsWith('  ') && last !== undefined) {
      entries.set(last, `${entries.get(last)} ${line.trim()}`)
      continue
    }
    const colon = line.indexOf(': ')
    if (colon < 0) continue
    last = line.slice(0, colon)
    entries.set(last, line.slice(colon + 2).trim())
  }
  return entries
}

/** The sentence for a name of this topic. */
export const entryOf = (given: Topic, name: string): string | undefined =>
  given.entries.get(name) ?? (given.also === undefined ? undefined : entryOf(given.also, name))

/** The names that stand in a line of the topic's file, in their order and each once; those without a sentence, too. */
export function namesIn(given: Topic, line: string): readonly string[] {
  const { layout } = given
  if (layout.kind === 'lines')
    return [...new Set([...line.matchAll(layout.name)].map((match) => match.slice(1).find(isSome) ?? match[0]))]
  if (layout.kind === 'tool') return layout.header.test(line) ? [...given.entries.keys()] : []
  return []
}

const isSome = (text: string | undefined): text is string => text !== undefined

/** One field of a file of the layout `fields`: its name and what stands there. */
export function fieldsIn(given: Topic, line: string): readonly (readonly [name: string, value: string])[] {
  // The command name of /proc/PID/stat may hold blanks and stands in parentheses.
  const values = line.trim().match(/\(.*\)|\S+/g) ?? []
  return [...given.entries.keys()].flatMap((name, index) => {
    const value = values[index]
    return value === undefined ? [] : [[name, value] as const]
  })
}
