/** /proc/iomem: where RAM is, and where in it the kernel lies. */
import type { FirmwareRange } from '../../engine/config'
import { ok, userError, type Result } from '../../util/result'
import type { Bytes } from '../../util/units'

export interface Iomem {
  readonly ranges: readonly FirmwareRange[]
  readonly kernelStart: Bytes | undefined
}

const TYPES: Readonly<Record<string, FirmwareRange['type']>> = {
  'System RAM': 'usable',
  Reserved: 'reserved',
  'ACPI Tables': 'ACPI data',
  'ACPI Non-volatile Storage': 'ACPI NVS',
  'Unusable memory': 'unusable',
}

/** Only root sees the addresses; for others the kernel prints zeros, which is refused here with that reason. */
export function parseIomem(text: string, where: string): Result<Iomem> {
  const ranges: FirmwareRange[] = []
  let kernelStart: number | undefined
  for (const line of text.split('\n')) {
    const match = /^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$/.exec(line)
    if (!match) continue
    const start = Number.parseInt(match[2]!, 16)
    const end = Number.parseInt(match[3]!, 16) + 1
    const type = TYPES[match[4]!]
    if (match[1] === '' && type !== undefined) ranges.push({ start, end, type })
    if (match[4] === 'Kernel code') kernelStart = start
  }
  if (ranges.some((r) => r.type === 'usable' && r.end === 1)) {
    return userError(
      'import/hidden-addresses',
      where,
      'All addresses are zero: the kernel hides them from ordinary users.',
      'Run the capture script as root.',
    )
  }
  if (!ranges.some((r) => r.type === 'usable')) {
    return userError(
      'import/iomem',
      where,
      "There is no 'System RAM' line in it.",
      'Take the capture again, as root and outside a container.',
    )
  }
  return ok({ ranges, kernelStart })
}
