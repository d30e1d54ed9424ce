/**
 * Reads the captured machines of test/captures/truth/static-*: what their kernels printed, and a configuration made from
 * their firmware map, boot log and /proc/iomem.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { FirmwareRange, MachineConfig, ZoneReservation } from '../src/engine/config'
import { spanZones } from '../src/engine/machine_spans'
import { machineConfig } from './zone-state'

const ROOT = fileURLToPath(new URL('./captures/truth', import.meta.url))

export interface PrintedZone {
  readonly nid: number
  readonly name: string
  readonly values: Readonly<Record<string, number>>
  readonly protection: readonly number[]
  readonly batches: readonly number[]
  readonly highs: readonly number[]
  readonly thresholds: readonly number[]
}

export interface Capture {
  readonly name: string
  readonly folder: string
  /** 'base' and the variants: folder names with a zoneinfo. */
  readonly snapshots: readonly string[]
}

export function staticCaptures(): Capture[] {
  const found: Capture[] = []
  for (const name of readdirSync(ROOT)) {
    if (!name.startsWith('static-')) continue
    const folder = join(ROOT, name)
    const snapshots = readdirSync(folder).filter((s) => existsSync(join(folder, s, 'zoneinfo')))
    found.push({ name, folder, snapshots })
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

export const captureText = (capture: Capture, path: string): string => readFileSync(join(capture.folder, path), 'utf8')
export const hasCapture = (capture: Capture, path: string): boolean => existsSync(join(capture.folder, path))
const bootLog = (capture: Capture): string =>
  gunzipSync(readFileSync(join(capture.folder, 'dmesg-boot.txt.gz'))).toString()

/** vm.min_free_kbytes as the machine had it in a snapshot. */
export function minFreeKbytes(capture: Capture, snapshot: string): number {
  if (snapshot !== 'base') return Number(captureText(capture, `${snapshot}/min_free_kbytes`))
  return Number(/^min_free_kbytes = (\d+)$/m.exec(captureText(capture, 'base/sysctl-vm.txt'))![1])
}

export function parseZoneinfo(text: string): PrintedZone[] {
  return text.split(/^(?=Node )/m).map((block): PrintedZone => {
    const head = /^Node (\d+), zone +(\w+)/.exec(block)!
    const values: Record<string, number> = {}
    for (const key of ['free', 'boost', 'min', 'low', 'high', 'promo', 'spanned', 'present', 'managed', 'start_pfn']) {
      const match = new RegExp(`^ +(?:pages )?${key}:? +(\\d+)$`, 'm').exec(block)
      if (match) values[key] = Number(match[1])
    }
    const all = (pattern: RegExp): number[] => [...block.matchAll(pattern)].map((m) => Number(m[1]))
    const protection = /protection: \(([^)]*)\)/.exec(block)![1]!.split(', ').map(Number)
    return {
      nid: Number(head[1]),
      name: head[2]!,
      values,
      protection,
      batches: all(/batch: (\d+)/g),
      highs: all(/high: {2}(\d+)/g),
      thresholds: all(/vm stats threshold: (\d+)/g),
    }
  })
}

interface MachineFile {
  kernel: string
  cpus: number
  cmdline: string
  numa_nodes: { node: number; cpus: string }[]
  numa_distances: number[][]
  e820: { start: string; end: string; type: FirmwareRange['type'] }[]
  boot: { early_ranges: string[] }
}

/** The configuration of a captured machine. `reservations: 'model'` leaves the reservations to the engine. */
export function captureConfig(capture: Capture, reservations: 'captured' | 'model'): MachineConfig {
  const file = JSON.parse(captureText(capture, 'machine.json')) as MachineFile
  const firmware = file.e820.map((r) => ({ start: Number(r.start), end: Number(r.end) + 1, type: r.type }))
  const nids = [...new Set(file.numa_nodes.map((n) => (file.cmdline.includes('numa=off') ? 0 : n.node)))]
  const series = file.kernel.startsWith('6.1.') ? '6.1' : '6.12'
  const kernelcore = /kernelcore=(\d+)G/.exec(file.cmdline)
  const kernelStart = /([0-9a-f]+)-[0-9a-f]+ : Kernel code/.exec(captureText(capture, 'base/iomem'))!
  const base: MachineConfig = machineConfig({
    series,
    firmware,
    nodes: nids.map((nid) => ({
      nid,
      ranges: nodeRanges(file, nid),
      cpus: file.numa_nodes.filter((n) => nids.length === 1 || n.node === nid).flatMap((n) => cpuList(n.cpus)),
    })),
    distances: nids.map((i) => nids.map((j) => distance(file, i, j))),
    thp: file.cmdline.includes('transparent_hugepage=never') ? 'never' : 'always',
    kernelStartPfn: Math.floor(Number.parseInt(kernelStart[1]!, 16) / 4096),
    initrdPages: returnedPages(capture).initrd,
    ...(kernelcore ? { kernelcoreBytes: Number(kernelcore[1]) * 2 ** 30 } : {}),
  })
  return reservations === 'model' ? base : { ...base, reservations: capturedReservations(capture, base) }
}

function nodeRanges(file: MachineFile, nid: number): { start: number; end: number }[] {
  const pattern = new RegExp(`^ +node +${nid}: \\[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\\]`)
  return file.boot.early_ranges.flatMap((line) => {
    const match = pattern.exec(line)
    return match ? [{ start: Number(match[1]), end: Number(match[2]) + 1 }] : []
  })
}

function cpuList(text: string): number[] {
  const [first, last] = text.split('-').map(Number)
  return Array.from({ length: (last ?? first!) - first! + 1 }, (_, i) => first! + i)
}

function distance(file: MachineFile, i: number, j: number): number {
  if (i === j) return 10
  const row = file.numa_distances.find(([a, b]) => (a === i && b === j) || (a === j && b === i))
  return row?.[2] ?? 20
}

/** From the boot log: what was given back late, pages. */
function returnedPages(capture: Capture): { initrd: number; kernel: number } {
  const log = bootLog(capture)
  let initrd = 0
  let kernel = 0
  for (const m of log.matchAll(/Freeing (initrd|unused) .*?: (\d+)K$/gm)) {
    if (m[1] === 'initrd') initrd += Number(m[2]) / 4
    else kernel += Number(m[2]) / 4
  }
  return { initrd, kernel }
}

/** managed as printed; late returns go to the zones of RAMDISK and of the kernel's code (spec 01 §1.6a). */
function capturedReservations(capture: Capture, config: MachineConfig): ZoneReservation[] {
  const returned = returnedPages(capture)
  const ramdisk = Math.floor(Number(/RAMDISK: \[mem (0x[0-9a-f]+)/.exec(bootLog(capture))![1]) / 4096)
  const spans = spanZones(config)
  return parseZoneinfo(captureText(capture, 'base/zoneinfo'))
    .filter((z) => z.values['present']! > 0)
    .map((z) => {
      const idx = ['DMA', 'DMA32', 'Normal', 'Movable'].indexOf(z.name)
      const span = spans.find((s) => s.nid === z.nid && s.idx === idx)!
      const holds = (pfn: number): boolean => pfn >= span.startPfn && pfn < span.startPfn + span.spanned
      const returnedLate =
        (holds(ramdisk) ? returned.initrd : 0) + (holds(config.kernelStartPfn!) ? returned.kernel : 0)
      return { nid: z.nid, zone: z.name as ZoneReservation['zone'], managed: z.values['managed']!, returnedLate }
    })
}
