/** The shelf of labs: what is there, and opening one on the machine that it names. */
import { err, ok, type Result } from '../util/result'
import { startWalk, type StepMark, type Walk } from './grader'
import { loadLab, type Lab } from './lab'

export { loadLab, labSchema, type Check, type Lab, type LabDocument, type LabStep } from './lab'
export { runCheck, type LabView } from './checks'
export { startWalk, type Progress, type StepMark, type StepView, type Walk } from './grader'

/** A folder of resources/labs, or of the user's own. */
export interface LabFolder {
  readonly name: string
  readonly json: string
  readonly markdown: string
}

export interface OpenedLab extends Walk {
  /** Machine profile as JSON text. */
  readonly profile: string
  readonly seed: number
  readonly setup: string
}

export interface LabShelfEntry {
  readonly id: string
  readonly title: string
  readonly summary: string
  readonly minutes: number
  readonly topics: readonly number[]
  readonly steps: number
  /** What one knows afterwards. */
  readonly outcomes: readonly string[]
}

export interface LabShelf {
  list(): readonly LabShelfEntry[]
  /** Folders that are no labs, and why; they harm nothing. */
  readonly broken: readonly string[]
  /** @param marks  how far an earlier walk through it got */
  open(id: string, seed: number, marks?: readonly StepMark[]): Result<OpenedLab>
}

/**
 * @param machines  text of the ready machines by name
 */
export function createShelf(folders: readonly LabFolder[], machines: Readonly<Record<string, string>>): LabShelf {
  const labs: Lab[] = []
  const broken: string[] = []
  for (const folder of folders) {
    const lab = loadLab(folder.json, folder.markdown, folder.name)
    if (lab.ok) labs.push(lab.value)
    else broken.push(`${lab.error.where}: ${lab.error.message} ${lab.error.fix}`)
  }
  // The course's order: by the first topic; folder names only break ties, so that no lab has to change its id.
  labs.sort(
    (a, b) => (a.document.topics[0] ?? 99) - (b.document.topics[0] ?? 99) || (a.document.id < b.document.id ? -1 : 1),
  )
  return {
    broken,
    list: () =>
      labs.map(({ document: d }) => ({
        id: d.id,
        title: d.title,
        summary: d.summary,
        minutes: d.minutes,
        topics: d.topics,
        steps: d.steps.length,
        outcomes: d.outcomes,
      })),
    open: (id, seed, marks) => {
      const lab = labs.find((l) => l.document.id === id)
      if (lab === undefined)
        return err({
          code: 'labs/no-such-lab',
          where: id,
          message: `There is no lab "${id}".`,
          fix: `Labs: ${labs.map((l) => l.document.id).join(', ')}.`,
        })
      const profile = machines[lab.document.machine]
      if (profile === undefined)
        return err({
          code: 'labs/no-such-machine',
          where: `${id}/lab.json: machine`,
          message: `There is no ready machine "${lab.document.machine}".`,
          fix: `Ready machines: ${Object.keys(machines).join(', ')}.`,
        })
      return ok({ ...startWalk(lab, seed, marks), profile, seed, setup: lab.document.setup })
    },
  }
}
