/** What the glossary lists: its terms, and while one searches also the lines of files and the columns of tools. Pure. */
import { glossary, searchTerms, termsIn, topics, type Term } from '../../../explain'

export interface GlossaryRow {
  readonly key: string
  readonly name: string
  /** The file or tool that has it; empty for a term. */
  readonly where: string
  readonly text: string
  readonly aliases: readonly string[]
}

/** A search for "page" finds hundreds of lines; whoever needs more has to be more precise. */
export const NAMES_MAX = 60

const termRow = ({ name, text, aliases }: Term): GlossaryRow => ({ key: name, name, where: '', text, aliases })

export function glossaryRows(search: string): readonly GlossaryRow[] {
  const words = search.trim()
  if (words === '') return glossary.map(termRow)
  return [...searchTerms(words).map(termRow), ...nameRows(words.toLowerCase()).slice(0, NAMES_MAX)]
}

function nameRows(words: string): readonly GlossaryRow[] {
  // A dotted sysctl is looked up by its last part.
  const wanted = words.replace(/^(?:vm|kernel|fs)\./, '')
  const rows = topics.flatMap((topic) =>
    [...topic.entries]
      .filter(([name]) => name.toLowerCase().includes(wanted))
      .map(([name, text]) => ({ key: `${topic.id} ${name}`, name, where: topic.id, text, aliases: [] })),
  )
  const isExact = (row: GlossaryRow): boolean => row.name.toLowerCase() === wanted
  return [...rows.filter(isExact), ...rows.filter((row) => !isExact(row))]
}

/** Terms that a row's text speaks of, itself not among them. */
export const relatedTerms = (row: GlossaryRow): readonly Term[] =>
  termsIn(row.text, new Set([row.name])).map(({ term }) => term)
