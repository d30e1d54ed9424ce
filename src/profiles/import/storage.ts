/** Block devices of a captured machine: the disks that a case names, or the swap areas that a host has on. */
import type { DeviceKind } from '../devices'
import type { ProfileDevice } from '../machine'
import { spellSize } from '../sizes'
import { MIB } from '../../util/units'
import type { BootLog } from './boot-log'
import { findProc, type CaptureFiles } from './files'

/**
 * A case's "disks": "out", "swap 512 MB", "data (ext4 with f16 f64 …: files of that many MB)" become /dev/vda, vdb, vdc in
 * that order. Swap is not formatted: the scenario's own mkswap does that.
 */
export function disksOfCase(disks: readonly string[], log: BootLog): ProfileDevice[] {
  return disks.map((text, i) => {
    const name = `vd${'abcdefghij'[i]}`
    const files = [...text.matchAll(/\bf(\d+)\b/g)].map((m) => ({ path: `/f${m[1]}`, size: `${m[1]}M` }))
    const told = /(\d+) MB/.exec(text)?.[1]
    const named = files.reduce((sum, f) => sum + Number(f.size.slice(0, -1)), 0)
    const bytes = log.disks[name] ?? (told === undefined ? Math.max(96, named + 64) : Number(told)) * MIB
    return {
      path: `/dev/${name}`,
      size: spellSize(bytes),
      kind: 'virtio',
      use: files.length > 0 ? 'data' : 'raw',
      ...(files.length > 0 ? { files } : {}),
    }
  })
}

/** /proc/swaps: each area becomes a swap device of the same size; a swap file gets a device of its own. */
export function swapsOfHost(files: CaptureFiles): { devices: ProfileDevice[]; notes: string[] } {
  const devices: ProfileDevice[] = []
  const notes: string[] = []
  const rows = (findProc(files, 'swaps')?.text ?? '').split('\n').slice(1)
  for (const row of rows) {
    const match = /^(\S+)\s+(partition|file)\s+(\d+)\s+\d+\s+(-?\d+)/.exec(row)
    if (!match) continue
    const [, path = '', type, kib, priority] = match
    const base = path.replace(/^\/dev\//, '')
    if (base.startsWith('zram')) {
      notes.push(
        `The compressed swap ${path} is left out: set it up in the machine, with modprobe zram and /sys/block/zram0.`,
      )
      continue
    }
    const isDevice = type === 'partition' && /^\w+$/.test(base)
    const device = isDevice ? `/dev/${base}` : `/dev/swap${devices.length}`
    if (!isDevice) notes.push(`The swap ${type} ${path} became the device ${device}.`)
    devices.push({
      path: device,
      size: spellSize((Number(kib) + 4) * 1024),
      kind: kindOf(base, files),
      use: 'swap',
      swapOnAtBoot: true,
      ...(Number(priority) < 0 ? {} : { swapPriority: Number(priority) }),
    })
  }
  return { devices, notes }
}

function kindOf(name: string, files: CaptureFiles): DeviceKind {
  const disk = name.startsWith('nvme') ? name.replace(/p\d+$/, '') : name.replace(/\d+$/, '')
  if (files[`sys/block/${disk}/queue/rotational`]?.trim() === '1' && disk.startsWith('sd')) return 'hdd'
  if (disk.startsWith('nvme')) return 'nvme'
  return /^(?:vd|xvd)/.test(disk) ? 'virtio' : 'ssd'
}
