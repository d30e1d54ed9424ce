/** One comparable number, text or list of lines of a case, by a name that both sides share. */
export interface Figure {
  readonly name: string
  readonly value: number | string | readonly string[]
}

export type CaseFiles = Readonly<Record<string, string>>

/** What the table of bands may look at. */
export interface CaseTraits {
  readonly name: string
  /** '1-static', '4-cgroup', '6-oom' … */
  readonly kind: string
  readonly scenario: string
  /** The scenario's "lab", '' when it has none. */
  readonly lab: string
  readonly lru: 'classic' | 'mglru'
  readonly series: '6.1' | '6.12'
  readonly parameters: Readonly<Record<string, string>>
}
