/** Known names in a line of output, wherever it comes from: what a pointer over a terminal can ask about. */
import { entryOf, namesIn, type Topic } from './topic'
import { topics } from './topics'

export interface Meaning {
  /** Where the name has this meaning: `/proc/meminfo`. */
  readonly where: string
  readonly text: string
}

/** A name as it stands in a line. */
export interface KnownWord {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly meanings: readonly Meaning[]
}

/** More would not fit a tooltip; `explain NAME` tells all. */
const MEANINGS_MAX = 2

/** The names of a line from left to right, none overlapping another. */
export function wordsIn(line: string): readonly KnownWord[] {
  const words: KnownWord[] = []
  const add = (word: KnownWord): void => {
    const isFree = words.every(({ start, end }) => word.end <= start || word.start >= end)
    if (isFree && word.meanings.length > 0) words.push(word)
  }
  namedByTheirLine(line).forEach(add)
  for (const match of line.matchAll(DISTINCT)) add(distinct(match[0], match.index))
  return words.sort((a, b) => a.start - b.start)
}

/** Names that only the shape of their line makes sure: `Cached:`, `pages free`, the columns below a tool's header. */
function namedByTheirLine(line: string): readonly KnownWord[] {
  const meanings = new Map<string, Meaning[]>()
  for (const topic of topics.filter((one) => isOf(one, line)))
    for (const name of namesIn(topic, line)) {
      const text = entryOf(topic, name)
      const known = meanings.get(name) ?? []
      if (text !== undefined && known.length < MEANINGS_MAX)
        meanings.set(name, [...known, { where: whereOf(topic, name), text }])
    }
  let from = 0
  return [...meanings].flatMap(([name, all]) => {
    const start = wordAt(line, name, from)
    if (start < 0) return []
    from = start + name.length
    return [{ name, start, end: from, meanings: all }]
  })
}

function isOf(topic: Topic, line: string): boolean {
  const { layout } = topic
  if (layout.kind === 'tool') return layout.header.test(line)
  return layout.kind === 'lines' && layout.shape?.test(line) !== false
}

/** Where a name stands as a word of its own, `from` on and else anywhere: columns need not come in the table's order. */
function wordAt(line: string, name: string, from: number): number {
  const isAt = (start: number): boolean =>
    !/[\w%]/.test(line.charAt(start - 1)) && !/[\w%]/.test(line.charAt(start + name.length))
  for (const first of [from, 0])
    for (let start = line.indexOf(name, first); start >= 0; start = line.indexOf(name, start + 1))
      if (isAt(start)) return start
  return -1
}

/** Names that nothing else is called: paths, dotted names, with an underscore, with capitals inside. */
const DISTINCT =
  /\/(?:proc|sys)\/[\w./-]*\w|\b(?:vm|kernel|fs|memory|cgroup)\.[a-z_.-]*[a-z]\b|\b[A-Za-z]\w*_\w+\b|\b[A-Z]?[a-z]+[A-Z]\w*\b|\b(?:Active|Inactive)\((?:anon|file)\)/g

function distinct(name: string, start: number): KnownWord {
  return { name, start, end: start + name.length, meanings: meaningsOf(name) }
}

/** What a name means by itself: a path, a sysctl with its dots, or an entry spelt exactly so. */
export function meaningsOf(name: string): readonly Meaning[] {
  const path = /^(?:vm|kernel|fs)\.[\w-]+$/.test(name) ? `/proc/sys/${name.replace('.', '/')}` : name
  const file = path.startsWith('/') ? fileMeaning(path) : undefined
  if (file !== undefined) return [file]
  return topics
    .flatMap((topic) => {
      const text = topic.entries.get(name)
      return text === undefined ? [] : [{ where: whereOf(topic, name), text }]
    })
    .slice(0, MEANINGS_MAX)
}

function fileMeaning(path: string): Meaning | undefined {
  for (const topic of topics) {
    const found = topic.path?.exec(path)
    if (found === null || found === undefined) continue
    const text = topic.layout.kind === 'value' ? topic.entries.get(found[1] ?? '') : topic.about
    if (text !== undefined) return { where: topic.layout.kind === 'value' ? topic.id : path, text }
  }
  return undefined
}

const whereOf = (topic: Topic, name: string): string =>
  topic.also !== undefined && !topic.entries.has(name) ? topic.also.id : topic.id
