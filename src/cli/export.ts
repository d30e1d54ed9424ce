/** The record of a run as files: series as CSV, all of it as JSON, or a trace for Perfetto and Chrome's viewer. */
import { klogLine } from '../engine/klog'
import type { Machine } from '../host/machine'
import { formatChromeTrace } from '../recorder/export/chrome-trace'
import { formatCsv } from '../recorder/export/csv'
import { formatRunJson } from '../recorder/export/json'
import { recordRows } from '../recorder/export/rows'
import { assert } from '../util/assert'

export const FORMATS = ['csv', 'json', 'perfetto'] as const
export type ExportFormat = (typeof FORMATS)[number]

/** File name → text. */
export function exportRecord(machine: Machine, format: ExportFormat): Record<string, string> {
  const { recorder, state } = machine
  assert(recorder !== undefined, 'the run was not recorded')
  const dmesg = `${state.klog.map(klogLine).join('\n')}\n`
  const range = { fromNs: 0, toNs: state.nowNs }
  switch (format) {
    case 'csv':
      return { 'dmesg.txt': dmesg, 'series.csv': formatCsv(recordRows(recorder, range)) }
    case 'json':
      return { 'dmesg.txt': dmesg, 'run.json': formatRunJson(recorder, range) }
    case 'perfetto':
      return { 'dmesg.txt': dmesg, 'trace.json': formatChromeTrace(recorder, range) }
  }
}
