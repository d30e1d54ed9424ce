/** Block devices of a profile: what contradicts itself. */
import type { Err, UserError } from '../util/result'
import { PAGE_SIZE } from '../util/units'
import type { MachineProfile, ProfileDevice } from './machine'
import type { Report } from './machine-check'
import { formatSize, parseSize } from './sizes'

type Fault = Err<UserError> | undefined

export function checkDevices(profile: MachineProfile, report: Report): Fault {
  const devices = profile.devices ?? []
  for (const [i, device] of devices.entries()) {
    if (devices.findIndex((d) => d.path === device.path) < i) {
      return report(
        'device-twice',
        ['devices', i, 'path'],
        `${device.path} is there already.`,
        'Each device needs its own path.',
      )
    }
    const fault = checkDevice(device, i, report) ?? checkFiles(device, i, report)
    if (fault) return fault
  }
  return undefined
}

function checkDevice(device: ProfileDevice, i: number, report: Report): Fault {
  const bytes = parseSize(device.size) ?? 0
  const smallest = device.use === 'swap' ? 10 * PAGE_SIZE : PAGE_SIZE
  if (bytes < smallest || bytes % PAGE_SIZE !== 0) {
    return report(
      'device-size',
      ['devices', i, 'size'],
      `${formatSize(bytes)} for ${device.path}.`,
      `Use a multiple of 4 KiB of at least ${formatSize(smallest)}.`,
    )
  }
  for (const name of ['swapOnAtBoot', 'swapPriority'] as const) {
    if (device[name] !== undefined && device.use !== 'swap') {
      return report(
        'not-swap',
        ['devices', i, name],
        `${device.path} is not swap but ${device.use}.`,
        `Set "use": "swap", or remove ${name}.`,
      )
    }
  }
  return undefined
}

function checkFiles(device: ProfileDevice, i: number, report: Report): Fault {
  const files = device.files ?? []
  if (files.length > 0 && device.use !== 'data') {
    return report(
      'files-without-data',
      ['devices', i, 'files'],
      `${device.path} has files but is ${device.use}.`,
      'Set "use": "data", or remove files.',
    )
  }
  let room = parseSize(device.size) ?? 0
  for (const [j, file] of files.entries()) {
    if (files.findIndex((f) => f.path === file.path) < j) {
      return report(
        'file-twice',
        ['devices', i, 'files', j, 'path'],
        `${file.path} is there already.`,
        'Each file needs its own path.',
      )
    }
    const bytes = parseSize(file.size) ?? 0
    if (bytes > room) {
      return report(
        'file-too-large',
        ['devices', i, 'files', j, 'size'],
        `${formatSize(bytes)} do not fit: ${device.path} has ${device.size} and ${formatSize(room)} of it are left.`,
        'Make the file smaller or the device larger.',
      )
    }
    room -= bytes
  }
  return undefined
}
