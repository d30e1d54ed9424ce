/** Files in a directory by which a program and its script tell each other how far they are. */
import type { Step } from '../steps'
import { option, type MmData } from './options'

const path = (d: MmData, name: string): string => `${option(d.args, 'dir', '/tmp')}/${name}`

/** The program is as far as the name says: the file is made, empty. */
export const flagFile = (name: string): readonly Step<MmData>[] => [
  (d) => ({ op: 'open', path: path(d, name), write: true, create: true }),
  (_d, view) => (view.errno === undefined ? { op: 'close', fd: view.result } : undefined),
]

/** Waits until the file exists, looking every 50 ms. */
export const waitForFlag = (name: string): readonly Step<MmData>[] => [
  (d) => ({ op: 'stat', path: path(d, name) }),
  (d, view) => {
    if (view.errno === undefined) return undefined
    d.pc -= 2
    return { op: 'sleep', ns: 50_000_000 }
  },
]
