/** What a name, a file or a line means: the whole surface of the explanations. */
import { nearestNames } from '../util/nearest'
import { glossary, termNamed, type Term } from './glossary'
import { entryOf, namesIn, type Topic } from './topic'
import { topics } from './topics'

export { glossary, searchTerms, termNamed, termsIn, type Term, type TermPlace } from './glossary'
export { entryOf, fieldsIn, namesIn, type Layout, type Topic } from './topic'
export { topics } from './topics'
export { meaningsOf, wordsIn, type KnownWord, type Meaning } from './words'
export { wrap } from './wrap'

/** A name with its sentence and the topic that it belongs to. */
export interface Explanation {
  readonly topic: Topic
  readonly name: string
  readonly text: string
}

/** The topic of a file. @param path  absolute, without `.` and `..` */
export function topicOf(path: string): Topic | undefined {
  return topics.find(
    (topic) => topic.path?.test(path) === true && (topic.layout.kind !== 'value' || isKnown(topic, path)),
  )
}

const isKnown = (topic: Topic, path: string): boolean => topic.entries.has(nameOfFile(topic, path))

/** The entry that a file of a topic of values has. */
export const nameOfFile = (topic: Topic, path: string): string => topic.path?.exec(path)?.[1] ?? ''

/** What a file is as a whole: the sentence of the file, or of the topic. */
export function aboutFile(path: string): string | undefined {
  const topic = topicOf(path)
  if (topic === undefined) return undefined
  return topic.layout.kind === 'value' ? topic.entries.get(nameOfFile(topic, path)) : topic.about
}

/** The path of a sysctl written with dots, as `vm.swappiness`. */
export const sysctlPath = (name: string): string | undefined =>
  /^(?:vm|kernel|fs)\.[\w-]+$/.test(name) ? `/proc/sys/${name.replace('.', '/')}` : undefined

/**
 * All that is known by a name: lines and columns in every topic, whatever the case if nothing is written exactly so.
 * A sysctl answers to its dotted name, too.
 */
export function explanationsOf(name: string): readonly Explanation[] {
  const path = sysctlPath(name)
  const topic = path === undefined ? undefined : topicOf(path)
  const text = path === undefined ? undefined : aboutFile(path)
  if (topic !== undefined && text !== undefined) return [{ topic, name, text }]
  const exact = withName((other) => other === name)
  const wanted = name.toLowerCase()
  return exact.length > 0 ? exact : withName((other) => other.toLowerCase() === wanted)
}

const withName = (is: (name: string) => boolean): readonly Explanation[] =>
  topics.flatMap((topic) =>
    [...topic.entries].filter(([name]) => is(name)).map(([name, text]) => ({ topic, name, text })),
  )

/** The names of a line that a topic explains, each with its sentence. */
export const explainLine = (topic: Topic, line: string): readonly Explanation[] =>
  namesIn(topic, line).flatMap((name) => {
    const text = entryOf(topic, name)
    return text === undefined ? [] : [{ topic, name, text }]
  })

/** Every word that `explain` knows, sorted: names, sysctls with dots, tools, terms. */
export function knownNames(): readonly string[] {
  const names = topics.flatMap((topic) => [...topic.entries.keys()].map((name) => dotted(topic, name)))
  const heads = topics.filter((topic) => !topic.id.startsWith('/')).map((topic) => topic.id)
  const terms = glossary.flatMap((term) => [term.name, ...term.aliases])
  return [...new Set([...names, ...heads, ...terms])].sort()
}

const dotted = (topic: Topic, name: string): string => (topic.id === '/proc/sys/vm' ? `vm.${name}` : name)

/** Known names that an unknown one may have been meant for, the likeliest first. */
export const suggestions = (name: string): readonly string[] => nearestNames(name, knownNames(), 5)

/** The term of the glossary that a name is, if it is one. */
export const termOf = (name: string): Term | undefined => termNamed(name)
