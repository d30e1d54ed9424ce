/**
 * A captured machine → a machine profile. One capture is a set of files of /proc and /sys: a tar or folder made by the
 * capture script in resources, or a case folder with machine.json beside the snapshots.
 */
import { previewMachine } from '../../engine/preview'
import { ok, userError, type Result } from '../../util/result'
import { PAGE_SIZE } from '../../util/units'
import { readMachine, type MachineProfile, type ProfileDevice } from '../machine'
import { toConfig } from '../machine-config'
import { parseBootLog } from './boot-log'
import { findProc, firstOf, needProc, normalise, readJson, type CaptureFiles } from './files'
import { parseIomem } from './iomem'
import { kernelPlace } from './kernel-place'
import { cpusOfNodes, distancesOf, firmwareMap, ramOfNodes } from './nodes'
import { changedSysctls, kernelFacts } from './options'
import { lateReturns } from './reservations'
import { disksOfCase, swapsOfHost } from './storage'
import { parseZoneinfo, type ZoneText } from './zoneinfo'

export type { CaptureFiles } from './files'
export { readTar } from './tar'

/**
 * @param given  path inside the capture → text; gzipped files already unpacked under their name without ".gz"
 * @param name   folder or archive name: the profile's name, and the place in messages
 */
export function importCapture(given: CaptureFiles, name: string): Result<MachineProfile> {
  const files = normalise(given)
  if (Object.keys(files).length === 0)
    return userError(
      'import/empty',
      name,
      'The capture holds no files.',
      'Give a folder or tar made by the capture script.',
    )
  const zoneinfo = needProc(files, 'zoneinfo', name)
  if (!zoneinfo.ok) return zoneinfo
  const zones = parseZoneinfo(zoneinfo.value.text, `${name}: ${zoneinfo.value.path}`)
  if (!zones.ok) return zones
  const whole = checkWhole(zones.value, files, `${name}: ${zoneinfo.value.path}`)
  if (!whole.ok) return whole
  const machine = readJson(files, 'machine.json', name)
  if (!machine.ok) return machine
  const draft = assemble(files, name, zones.value, machine.value)
  if (!draft.ok) return draft
  const profile = readMachine(draft.value, name)
  return profile.ok ? ok(withMinFree(profile.value, files)) : profile
}

/** A vm.min_free_kbytes that boot would not have computed was set by somebody (1 %: late returns of unknown size). */
function withMinFree(profile: MachineProfile, files: CaptureFiles): MachineProfile {
  const text = files['proc/sys/vm/min_free_kbytes']?.trim()
  if (text === undefined || !/^\d+$/.test(text)) return profile
  const computed = previewMachine(toConfig(profile)).minFreeKbytes
  if (Math.abs(Number(text) - computed) <= computed / 100) return profile
  return { ...profile, sysctls: { ...profile.sysctls, 'vm.min_free_kbytes': text } }
}

/** A zoneinfo that was cut between two zones is whole line by line, but every node lists its zones up to the last kind. */
function checkWhole(zones: readonly ZoneText[], files: CaptureFiles, where: string): Result<true> {
  const last = zones.at(-1)!
  const cut = (what: string): Result<true> =>
    userError(
      'import/truncated',
      where,
      `${what}: the file is cut off after zone ${last.name} of node ${last.nid}.`,
      'Take the capture again and copy the whole file.',
    )
  const kindsOf = (nid: number): string =>
    zones
      .filter((z) => z.nid === nid)
      .map((z) => z.name)
      .join(' ')
  if (!zones.some((z) => z.nid === last.nid && z.name === 'Movable') || kindsOf(last.nid) !== kindsOf(zones[0]!.nid)) {
    return cut(`Node ${last.nid} lists only ${kindsOf(last.nid)}`)
  }
  const nodes = Object.keys(files).filter((path) => /^sys\/devices\/system\/node\/node\d+\/cpulist$/.test(path)).length
  const listed = new Set(zones.map((z) => z.nid)).size
  return nodes > listed ? cut(`Only ${listed} of ${nodes} nodes are listed`) : ok(true)
}

function assemble(
  files: CaptureFiles,
  name: string,
  zones: readonly ZoneText[],
  machine: Record<string, unknown> | undefined,
): Result<MachineProfile> {
  const log = parseBootLog(firstOf(files, ['dmesg-boot.txt', 'dmesg.txt', 'dmesg']) ?? '')
  const facts = kernelFacts(files, log, machine)
  if (!facts)
    return userError(
      'import/missing-file',
      name,
      'The capture has no proc/version.',
      'It says which kernel the machine ran; take the capture again.',
    )
  const iomemFile = findProc(files, 'iomem')
  const iomem = iomemFile && parseIomem(iomemFile.text, `${name}: ${iomemFile.path}`)
  if (iomem && !iomem.ok && log.e820.length === 0) return iomem
  const places = iomem?.ok ? iomem.value : undefined
  const firmware = firmwareMap(log, machine, places, name)
  if (!firmware.ok) return firmware
  const ram = ramOfNodes(zones, firmware.value, log, machine)
  const cpus = cpusOfNodes(files, machine, zones, ram.length)
  const distances = distancesOf(files, machine, ram.length)
  const kernelPfn = places?.kernelStart === undefined ? undefined : places.kernelStart / PAGE_SIZE
  const late = lateReturns({ zones, ram, log, release: facts.kernel.release ?? '', kernelPfn })
  const startPfn = kernelPfn ?? kernelPlace(files, zones, late)
  const storage = machine
    ? { devices: disksOfCase((machine['disks'] ?? []) as string[], log), notes: [] }
    : swapsOfHost(files)
  const notes = [...facts.notes, ...late.notes, ...storage.notes, ...presentNotes(zones, ram)]
  const cpuModel = log.cpuModel ?? /^model name\s*: (.*)$/m.exec(findProc(files, 'cpuinfo')?.text ?? '')?.[1]
  const sysctls = machine ? {} : changedSysctls(files)
  return ok({
    format: 'pagewalk-machine',
    version: 1,
    name: shortName(name),
    description: description(files, name),
    ...(machine ? { hostname: '(none)', userland: 'initramfs' as const } : {}),
    kernel: {
      ...facts.kernel,
      ...(startPfn === undefined ? {} : { startPfn }),
      ...(log.initrdFreed === undefined ? {} : { initrdPages: log.initrdFreed }),
    },
    hardware: {
      ...(log.hardware === undefined ? {} : { name: log.hardware }),
      ...(cpuModel === undefined ? {} : { cpuModel }),
      ...(hasFiveLevels(files) ? { fiveLevelPaging: true } : {}),
    },
    nodes: ram.map((ranges, nid) => ({
      ranges: ranges.map((r) => ({ startBytes: r.start, endBytes: r.end })),
      cpus: cpus[nid]!,
    })),
    ...(distances ? { distances } : {}),
    firmware: firmware.value.map((r) => ({ startBytes: r.start, endBytes: r.end, type: r.type })),
    reservations: late.reservations,
    ...orNothing('devices', storage.devices satisfies ProfileDevice[]),
    ...(Object.keys(sysctls).length > 0 ? { sysctls } : {}),
    ...orNothing('notes', notes),
  })
}

/** The vmalloc area has 12800 TiB instead of 32 TiB under five levels of page tables (spec 09, meminfo). */
const hasFiveLevels = (files: CaptureFiles): boolean =>
  /^VmallocTotal:\s+13743895347199 kB$/m.test(findProc(files, 'meminfo')?.text ?? '')

const orNothing = <K extends string, T>(key: K, list: readonly T[]): Partial<Record<K, T[]>> =>
  list.length > 0 ? ({ [key]: [...list] } as Record<K, T[]>) : {}

/** Where the memory map and the kernel's own count of present pages disagree: hot-plugged or removed memory. */
function presentNotes(
  zones: readonly ZoneText[],
  ram: readonly (readonly { start: number; end: number }[])[],
): string[] {
  return ram.flatMap((ranges, nid) => {
    const mapped = ranges.reduce((sum, r) => sum + (r.end - r.start) / PAGE_SIZE, 0)
    const present = zones.filter((z) => z.nid === nid).reduce((sum, z) => sum + z.present, 0)
    return mapped === present ? [] : [`Node ${nid} has ${present} pages in the capture, ${mapped} by its memory map.`]
  })
}

const shortName = (name: string): string =>
  name
    .split('/')
    .at(-1)!
    .toLowerCase()
    .replace(/\.(?:tar|tgz|json)(?:\.gz)?$/, '')
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '') || 'machine'

function description(files: CaptureFiles, name: string): string {
  const what = /"what": "([^"\\]*)"/.exec(files['case.json'] ?? '')?.[1]
  return what === undefined ? `Imported from ${name}.` : `Imported from ${name}: ${what}.`
}
