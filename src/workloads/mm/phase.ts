/** Measured phases of the lab program: fault counts since the last one, and sizes from /proc/self. */
import { stdout, type Step } from '../steps'
import type { MmData } from './options'

interface PhaseMemory {
  minflt: number
  majflt: number
  startNs: number
  status: string
}

const memory = (d: MmData): PhaseMemory =>
  (d['phase'] ??= { minflt: 0, majflt: 0, startNs: 0, status: '' }) as PhaseMemory

/** `Key:   123 kB` → 123, −1 when it is not there. */
export function statusKb(text: string, key: string): number {
  const match = new RegExp(`^${key}:\\s*(-?\\d+)`, 'm').exec(text)
  return match === null ? -1 : Number(match[1])
}

/**
 * One line of figures, then a new phase begins.
 * @param prints  false: only begin a phase
 */
export function phaseSteps<D extends MmData>(name: string | ((d: D) => string), prints: boolean): readonly Step<D>[] {
  const begin: Step<D> = (d, view) => {
    const m = memory(d)
    m.minflt = view.minflt
    m.majflt = view.majflt
    m.startNs = view.nowNs
    return undefined
  }
  if (!prints) return [begin]
  return [
    (d, view) => {
      const m = memory(d)
      const data: MmData = d
      data['counted'] = {
        minflt: view.minflt - m.minflt,
        majflt: view.majflt - m.majflt,
        ms: (view.nowNs - m.startNs) / 1e6,
      }
      return { op: 'readFile', path: '/proc/self/status' }
    },
    (d, view) => {
      memory(d).status = view.text
      return { op: 'readFile', path: '/proc/self/smaps_rollup' }
    },
    (d, view) =>
      stdout(
        phaseLine(
          typeof name === 'string' ? name : name(d),
          d,
          memory(d).status,
          view.errno === undefined ? view.text : '',
        ),
      ),
    begin,
  ]
}

function phaseLine(name: string, d: MmData, status: string, rollup: string): string {
  const c = d['counted'] as { minflt: number; majflt: number; ms: number }
  const s = (key: string): number => statusKb(status, key)
  return (
    `${name.padEnd(28)} minflt=${c.minflt} majflt=${c.majflt} RssAnon_kB=${s('RssAnon')} RssFile_kB=${s('RssFile')} ` +
    `RssShmem_kB=${s('RssShmem')} AnonHuge_kB=${statusKb(rollup, 'AnonHugePages')} VmPTE_kB=${s('VmPTE')} ` +
    `VmLck_kB=${s('VmLck')} VmSwap_kB=${s('VmSwap')} ms=${c.ms.toFixed(1)}\n`
  )
}
