/** The ready machines that ship, as the bundler finds them: for the entry points that are bundled. */
import type { ReadyMachine } from './session-state'

const FILES: Record<string, string> = import.meta.glob('../../resources/machines/*.json', {
  query: '?raw',
  import: 'default',
  eager: true,
})

export const READY_MACHINES: readonly ReadyMachine[] = Object.entries(FILES)
  .map(([path, text]) => ({ id: path.slice(path.lastIndexOf('/') + 1).replace(/\.json$/, ''), text }))
  .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
