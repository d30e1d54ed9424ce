/** Machine profile → what the engine boots from: everything that the profile leaves open is decided here. */
import type { BlockDeviceConfig, MachineConfig, NodeConfig } from '../engine/config'
import type { Bytes } from '../util/units'
import { parseCore } from './core-option'
import { DEVICE_SPEED } from './devices'
import type { MachineProfile, ProfileDevice } from './machine'
import { firmwareRanges, hardwareKind, nodeRanges, totalSize } from './memory-map'
import { parseCpuList, parseSize } from './sizes'
import { tlbCpuModel, tlbGeometry } from './tlb'

const RELEASE = {
  '6.1': { release: '6.1.0-56-cloud-amd64', build: '#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)' },
  '6.12': {
    release: '6.12.95+deb12-cloud-amd64',
    build: '#1 SMP PREEMPT_DYNAMIC Debian 6.12.95-1~bpo12+1 (2026-07-05)',
  },
} as const

const BOARD = {
  pc: { name: 'Pagewalk Reference PC, BIOS 1.0 01/01/2026', cpu: 'Pagewalk Reference CPU' },
  q35: {
    name: 'QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-debian-1.16.2-1 04/01/2014',
    cpu: 'QEMU Virtual CPU version 2.5+',
  },
  i440fx: {
    name: 'QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-debian-1.16.2-1 04/01/2014',
    cpu: 'QEMU Virtual CPU version 2.5+',
  },
  firecracker: { name: 'Firecracker microVM', cpu: 'Virtual CPU' },
} as const

/** @param profile  already loaded, hence checked */
export function toConfig(profile: MachineProfile): MachineConfig {
  const { kernel } = profile
  const total = totalSize(profile)
  const ranges = nodeRanges(profile)
  const board = BOARD[hardwareKind(profile)]
  const release = kernel.release ?? RELEASE[kernel.series].release
  const tlb = tlbGeometry(profile)
  const kernelcore = coreBytes(kernel.kernelcore, total)
  const movablecore = coreBytes(kernel.movablecore, total)
  return {
    name: profile.name,
    hostname: profile.hostname ?? profile.name,
    series: kernel.series,
    release,
    version: kernel.build ?? RELEASE[kernel.series].build,
    hardware: profile.hardware?.name ?? board.name,
    cmdline: commandLine(profile, release),
    ...(profile.hardware?.fiveLevelPaging === true ? { fiveLevelPaging: true } : {}),
    ...(tlb === undefined ? {} : { tlb }),
    ...(kernel.pti === 'on' ? { pti: true } : {}),
    cpuModel: profile.hardware?.cpuModel ?? tlbCpuModel(profile) ?? board.cpu,
    firmware: firmwareRanges(profile),
    nodes: profile.nodes.map((node, nid): NodeConfig => ({
      nid,
      ranges: ranges[nid]!,
      cpus: parseCpuList(node.cpus) ?? [],
    })),
    distances: profile.distances ?? defaultDistances(profile.nodes.length),
    ...(kernelcore === undefined ? {} : { kernelcoreBytes: kernelcore }),
    ...(movablecore === undefined ? {} : { movablecoreBytes: movablecore }),
    thp: kernel.transparentHugepage ?? 'always',
    reservations: (profile.reservations ?? []).map((r) => ({
      nid: r.node,
      zone: r.zone,
      managed: r.managedPages,
      returnedLate: r.returnedLatePages,
    })),
    ...(kernel.startPfn === undefined ? {} : { kernelStartPfn: kernel.startPfn }),
    ...(kernel.initrdPages === undefined ? {} : { initrdPages: kernel.initrdPages }),
    mglru: kernel.mglru ?? kernel.series === '6.12',
    blockDevices: (profile.devices ?? []).map(blockDevice),
    sysctls: profile.sysctls ?? {},
    userland: profile.userland ?? 'debian',
    costs: costOverrides(profile),
  }
}

const coreBytes = (text: string | undefined, total: Bytes): Bytes | undefined =>
  text === undefined ? undefined : parseCore(text, total)

export const defaultDistances = (count: number): number[][] =>
  Array.from({ length: count }, (_, i) => Array.from({ length: count }, (_, j) => (i === j ? 10 : 20)))

/** What /proc/cmdline prints: the profile's own text, then the options that have their own field. */
function commandLine(profile: MachineProfile, release: string): string {
  const { kernel } = profile
  const parts = [kernel.cmdline ?? `BOOT_IMAGE=/boot/vmlinuz-${release} root=/dev/vda1 ro quiet`]
  if (kernel.kernelcore !== undefined) parts.push(`kernelcore=${kernel.kernelcore}`)
  if (kernel.movablecore !== undefined) parts.push(`movablecore=${kernel.movablecore}`)
  if (kernel.transparentHugepage !== undefined) parts.push(`transparent_hugepage=${kernel.transparentHugepage}`)
  if (kernel.pti !== undefined) parts.push(`pti=${kernel.pti}`)
  return parts.filter((p) => p !== '').join(' ')
}

function blockDevice(device: ProfileDevice): BlockDeviceConfig {
  const speed = DEVICE_SPEED[device.kind]
  const priority = device.swapPriority ?? -1
  const swap = { onAtBoot: device.swapOnAtBoot ?? true, ...(priority < 0 ? {} : { priority }) }
  return {
    path: device.path,
    sizeBytes: parseSize(device.size) ?? 0,
    readNs: device.readNs ?? speed.readNs,
    writeNs: device.writeNs ?? speed.writeNs,
    perPageNs: device.perPageNs ?? speed.perPageNs,
    rotational: speed.rotational,
    files: (device.files ?? []).map((f) => ({ path: f.path, sizeBytes: parseSize(f.size) ?? 0 })),
    ...(device.use === 'swap' ? { swap } : {}),
  }
}

function costOverrides(profile: MachineProfile): Record<string, number> {
  const out: Record<string, number> = {}
  for (const [name, ns] of Object.entries(profile.costs ?? {})) if (ns !== undefined) out[name] = ns
  return out
}
