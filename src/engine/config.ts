/**
 * What `boot` needs to know of a machine. Plain data, already validated: the file that people write
 * (src/profiles/machine.ts) is turned into this. Nothing here is optional where the kernel needs a value.
 */
import type { TlbGeometry } from './mm/tlb_presets'
import type { Bytes, Ns, Pages, Pfn } from '../util/units'

export type KernelSeries = '6.1' | '6.12'
export type ThpMode = 'always' | 'madvise' | 'never'

/** One line of the firmware's memory map. `end` is exclusive, bytes. */
export interface FirmwareRange {
  readonly start: Bytes
  readonly end: Bytes
  readonly type: 'usable' | 'reserved' | 'ACPI data' | 'ACPI NVS' | 'unusable'
}

export interface NodeConfig {
  readonly nid: number
  /** Usable RAM of the node as firmware (SRAT) gives it, bytes, `end` exclusive, ascending. May be empty. */
  readonly ranges: readonly { readonly start: Bytes; readonly end: Bytes }[]
  /** CPU numbers; may be empty (a memory-only node). */
  readonly cpus: readonly number[]
}

/** What boot takes away from a zone, pages. `managed` is the zone's final managed count. */
export interface ZoneReservation {
  readonly nid: number
  readonly zone: 'DMA' | 'DMA32' | 'Normal' | 'Movable'
  readonly managed: Pages
  /** Part of `managed` that was given back after watermarks were computed (spec 01 §1.6a). */
  readonly returnedLate: Pages
}

export interface BlockDeviceConfig {
  /** '/dev/vdb' */
  readonly path: string
  readonly sizeBytes: Bytes
  /** Latency and throughput of one 4 KiB request, simulated. */
  readonly readNs: Ns
  readonly writeNs: Ns
  /** Time that each further page of the same request takes. */
  readonly perPageNs: Ns
  readonly rotational: boolean
  /** Files of the file system on it (read-only ext4 in the captures); empty for a raw device. */
  readonly files: readonly { readonly path: string; readonly sizeBytes: Bytes }[]
  /** Swap header already written (mkswap), and switched on at boot with this priority. */
  readonly swap?: { readonly onAtBoot: boolean; readonly priority?: number }
}

export interface MachineConfig {
  readonly name: string
  readonly hostname: string
  readonly series: KernelSeries
  /** '6.12.95+deb12-cloud-amd64' */
  readonly release: string
  /** '#1 SMP PREEMPT_DYNAMIC Debian 6.12.95-1~bpo12+1 (2026-07-05)' */
  readonly version: string
  /** 'QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2-debian-1.16.2-1 04/01/2014' */
  readonly hardware: string
  readonly cmdline: string
  readonly cpuModel: string
  /** Page tables have five levels (the CPU has la57); four when left out. */
  readonly fiveLevelPaging?: boolean
  /** Translation hardware of each CPU; Skylake-SP's when left out. */
  readonly tlb?: TlbGeometry
  /** Page tables of the kernel and of programs are kept apart (KPTI). */
  readonly pti?: boolean
  readonly firmware: readonly FirmwareRange[]
  readonly nodes: readonly NodeConfig[]
  /** distances[i][j], 10 on the diagonal. */
  readonly distances: readonly (readonly number[])[]
  readonly kernelcoreBytes?: Bytes
  readonly movablecoreBytes?: Bytes
  readonly thp: ThpMode
  /** Empty: boot models the reservations itself (spec 01 §1.2). Otherwise one row for each populated zone. */
  readonly reservations: readonly ZoneReservation[]
  /** First page of the kernel image and of the initrd, for the boot log and for late returns. */
  readonly kernelStartPfn?: Pfn
  readonly initrdPages?: Pages
  readonly mglru: boolean
  readonly blockDevices: readonly BlockDeviceConfig[]
  /** 'vm.swappiness' → '60': written after boot, as /etc/sysctl.conf is. */
  readonly sysctls: Readonly<Record<string, string>>
  /**
   * 'initramfs': the capture machines (busybox in a tmpfs root, pid 1 is the script);
   * 'debian': systemd-like cgroups, bash, files in a root file system.
   */
  readonly userland: 'initramfs' | 'debian'
  /** Nanosecond costs that differ from the table in costs.ts. */
  readonly costs: Readonly<Record<string, Ns>>
}
