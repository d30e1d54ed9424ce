/** The ready machines and labs that ship, as the bundler finds them: for the entry points that are bundled. */
import type { LabFolder } from '../labs/index'
import type { ReadyMachine } from './session-state'

const MACHINES: Record<string, string> = import.meta.glob('../../resources/machines/*.json', {
  query: '?raw',
  import: 'default',
  eager: true,
})

const LABS: Record<string, string> = import.meta.glob('../../resources/labs/*/lab.{json,md}', {
  query: '?raw',
  import: 'default',
  eager: true,
})

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export const READY_MACHINES: readonly ReadyMachine[] = Object.entries(MACHINES)
  .map(([path, text]) => ({ id: path.slice(path.lastIndexOf('/') + 1).replace(/\.json$/, ''), text }))
  .sort((a, b) => byName(a.id, b.id))

/** '…/labs/02-oom-in-a-cgroup/lab.json' → '02-oom-in-a-cgroup' */
const folderOf = (path: string): string => path.split('/').at(-2)!

export const LAB_FOLDERS: readonly LabFolder[] = Object.entries(LABS)
  .filter(([path]) => path.endsWith('/lab.json'))
  .map(([path, json]) => ({
    name: folderOf(path),
    json,
    markdown: LABS[path.replace(/\.json$/, '.md')] ?? '',
  }))
  .sort((a, b) => byName(a.name, b.name))
