/** How fast the kinds of storage are that a profile can name: latency of one 4 KiB request, and each further page. */
import type { Ns } from '../util/units'

export interface DeviceSpeed {
  readonly readNs: Ns
  readonly writeNs: Ns
  readonly perPageNs: Ns
  readonly rotational: boolean
}

export const DEVICE_KINDS = ['nvme', 'ssd', 'hdd', 'virtio'] as const
export type DeviceKind = (typeof DEVICE_KINDS)[number]

/**
 * nvme, ssd, hdd: spec 04 §4.3 (100 µs, 200 µs, 8 ms to read; 30 µs, 80 µs, 8 ms to write), with 3 GB/s, 520 MB/s and
 * 150 MB/s for the pages after the first. virtio: a disk of a virtual machine whose data the host has in memory.
 */
export const DEVICE_SPEED: Readonly<Record<DeviceKind, DeviceSpeed>> = {
  nvme: { readNs: 100_000, writeNs: 30_000, perPageNs: 1_365, rotational: false },
  ssd: { readNs: 200_000, writeNs: 80_000, perPageNs: 7_877, rotational: false },
  hdd: { readNs: 8_000_000, writeNs: 8_000_000, perPageNs: 27_307, rotational: true },
  virtio: { readNs: 60_000, writeNs: 60_000, perPageNs: 2_000, rotational: false },
}
