/** What the importer needs from the kernel's boot log, with or without time stamps. */
import type { FirmwareRange } from '../../engine/config'
import type { Bytes, Pages } from '../../util/units'
import type { ByteRange } from '../memory-map'

export interface BootLog {
  /** 'Linux version …' */
  readonly banner: string | undefined
  readonly cmdline: string | undefined
  readonly hardware: string | undefined
  readonly cpuModel: string | undefined
  readonly e820: readonly FirmwareRange[]
  /** "Early memory node ranges": RAM of each node, whole pages. */
  readonly nodes: readonly { readonly nid: number; readonly range: ByteRange }[]
  readonly ramdisk: ByteRange | undefined
  /** "Freeing initrd memory" */
  readonly initrdFreed: Pages | undefined
  /** "Freeing unused …": decrypted, initmem and gaps of the kernel image, spec 01 §1.6a. */
  readonly imageFreed: Pages | undefined
  /** 'vdb' → bytes */
  readonly disks: Readonly<Record<string, Bytes>>
}

const E820_TYPES: Readonly<Record<string, FirmwareRange['type']>> = {
  usable: 'usable',
  reserved: 'reserved',
  'ACPI data': 'ACPI data',
  'ACPI NVS': 'ACPI NVS',
  unusable: 'unusable',
}

export function parseBootLog(text: string): BootLog {
  const lines = text.split('\n').map((line) => line.replace(/^(?:<\d+>)?\[\s*\d+\.\d+\]\s?/, ''))
  const first = (pattern: RegExp): RegExpExecArray | undefined => {
    for (const line of lines) {
      const match = pattern.exec(line)
      if (match) return match
    }
    return undefined
  }
  const all = (pattern: RegExp): RegExpExecArray[] => lines.map((line) => pattern.exec(line)).filter((m) => m !== null)
  const ramdisk = first(/^RAMDISK: \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]/)
  const initrd = first(/^Freeing initrd memory: (\d+)K/)
  const image = all(/^Freeing unused (?:decrypted|kernel image \([^)]*\)) memory: (\d+)K/)
  return {
    banner: first(/^Linux version .*/)?.[0],
    cmdline: first(/^(?:Kernel command line|Command line): (.*)$/)?.[1],
    hardware: first(/^DMI: (?!Memory slots)(.*)$/)?.[1],
    cpuModel: first(/^smpboot: CPU0: (.*?)(?: \(family.*)?$/)?.[1],
    e820: all(/^BIOS-e820: \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\] (.*)$/).map((m) => ({
      ...byteRange(m[1]!, m[2]!),
      type: E820_TYPES[m[3]!] ?? 'reserved',
    })),
    nodes: earlyNodeRanges(lines),
    ramdisk: ramdisk && byteRange(ramdisk[1]!, ramdisk[2]!),
    initrdFreed: initrd && Number(initrd[1]) / 4,
    imageFreed: image.length === 0 ? undefined : image.reduce((sum, m) => sum + Number(m[1]) / 4, 0),
    disks: Object.fromEntries(all(/\[(\w+)\] (\d+) 512-byte logical blocks/).map((m) => [m[1]!, Number(m[2]) * 512])),
  }
}

/** Lines like '  node   0: [mem 0x0000000000001000-0x000000000009efff]'. */
export function earlyNodeRanges(lines: readonly string[]): { nid: number; range: ByteRange }[] {
  return lines
    .map((line) => /^\s+node\s+(\d+): \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]/.exec(line))
    .filter((m) => m !== null)
    .map((m) => ({ nid: Number(m[1]), range: byteRange(m[2]!, m[3]!) }))
}

/** The kernel prints inclusive ends. */
const byteRange = (first: string, last: string): ByteRange => ({
  start: Number.parseInt(first, 16),
  end: Number.parseInt(last, 16) + 1,
})
