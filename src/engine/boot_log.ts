/**
 * The kernel log of a boot, from the configuration and what boot made of it: the lines that speak of memory.
 * @kernel  arch/x86/kernel/e820.c, mm/mm_init.c, mm/page_alloc.c; times are those of a typical virtual machine
 */
import { PAGE_SIZE, type Pages } from '../util/units'
import type { MachineConfig } from './config'
import { layoutZones } from './machine_layout'
import { ZONE_NAMES } from './mm/gfp'
import type { KernelState } from './state'

const hex16 = (n: number): string => `0x${n.toString(16).padStart(16, '0')}`
const range = (start: number, end: number): string => `[mem ${hex16(start)}-${hex16(end - 1)}]`

/** Appends the boot messages at their times. @returns time at which user land starts, ns */
export function bootLog(state: KernelState): number {
  let atNs = 0
  const say = (text: string, stepNs = 0): void => {
    atNs += stepNs
    state.klog.push({ atNs, text })
  }
  const { config } = state
  say(`Linux version ${config.release} (debian-kernel@lists.debian.org) ${config.version}`)
  say(`Command line: ${config.cmdline}`)
  say('BIOS-provided physical RAM map:')
  for (const r of config.firmware) say(`BIOS-e820: ${range(r.start, r.end)} ${r.type}`)
  say(`DMI: ${config.hardware}`)
  say('e820: update [mem 0x00000000-0x00000fff] usable ==> reserved')
  say('e820: remove [mem 0x000a0000-0x000fffff] usable')
  logZones(state, say)
  say(`Kernel command line: ${config.cmdline}`)
  for (const node of state.nodes)
    say(`Fallback order for Node ${node.nid}: ${node.nodeOrder.map((n) => `${n} `).join('')}`)
  const freeable = state.zones.reduce((sum, z) => sum + z.present, 0)
  say(`Built ${state.nodes.length} zonelists, mobility grouping on.  Total pages: ${freeable}`)
  const policy = [...state.zones]
    .filter((z) => z.managed > 0 && z.idx < 3)
    .reduce((best, z) => Math.max(best, z.idx), 0)
  say(`Policy zone: ${ZONE_NAMES[policy]}`)
  say('mem auto-init: stack:all(zero), heap alloc:on, heap free:off')
  const memory = memoryLine(state)
  if (config.series === '6.1') say(memory)
  say(
    `SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=${state.cpuNode.length}, Nodes=${state.nodes.length}`,
    40_000_000,
  )
  say(`Freeing SMP alternatives memory: ${imageOf(config).alternatives}K`)
  if (state.sysctl.numaBalancing !== 0) {
    const knobs = 'Configure with numa_balancing= or the kernel.numa_balancing sysctl'
    say(`mempolicy: Enabling automatic NUMA balancing. ${knobs}`)
  }
  if (config.pti === true) say('Kernel/User page tables isolation: enabled')
  say(
    `smp: Brought up ${state.nodes.length} node${state.nodes.length > 1 ? 's' : ''}, ${state.cpuNode.length} CPUs`,
    200_000_000,
  )
  if (config.series !== '6.1') say(memory, 100_000_000)
  for (const device of state.devices) {
    if (device.path.startsWith('/dev/'))
      say(`${device.path.slice(5)}: ${Math.floor(device.sizeBytes / 512)} 512-byte logical blocks`, 20_000_000)
  }
  logFreed(state, say)
  say('Run /init as init process', config.series === '6.1' ? 400_000_000 : 300_000_000)
  return atNs
}

/** Of Debian's kernels, kB; those for clouds leave drivers out. @kernel mm/mm_init.c mem_init_print_info(); boot logs of the captured machines */
const IMAGES = {
  cloud612: {
    alternatives: 40,
    parts: '16384K kernel code, 2506K rwdata, 10900K rodata, 4016K init, 5312K bss',
    freed: [
      ['decrypted', 2028],
      ['kernel image (initmem)', 4016],
      ['kernel image (rodata/data gap)', 1388],
    ],
  },
  full612: {
    alternatives: 40,
    parts: '16384K kernel code, 2499K rwdata, 11700K rodata, 4252K init, 4932K bss',
    freed: [
      ['decrypted', 2028],
      ['kernel image (initmem)', 4252],
      ['kernel image (rodata/data gap)', 588],
    ],
  },
  cloud61: {
    alternatives: 36,
    parts: '14343K kernel code, 2327K rwdata, 8348K rodata, 2612K init, 5436K bss',
    freed: [
      ['decrypted', 2036],
      ['kernel image (initmem)', 2612],
      ['kernel image (text/rodata gap)', 2040],
      ['kernel image (rodata/data gap)', 1892],
    ],
  },
} as const

const imageOf = ({ series, release }: MachineConfig) =>
  series === '6.1' ? IMAGES.cloud61 : release.includes('cloud') ? IMAGES.cloud612 : IMAGES.full612

/** What the allocator gets after this line: the initial RAM disk and parts of the kernel image. */
const returnedLate = (state: KernelState): Pages =>
  layoutZones(state.config).reduce((sum, zone) => sum + zone.managed - zone.managedAtBoot, 0)

/**
 * @kernel      mm/mm_init.c mem_init_print_info()
 * @simplifies  what the kernel has taken by then, 4 MiB of half a GiB, counts as available
 */
function memoryLine(state: KernelState): string {
  const total = state.boot.physicalPages * 4
  const { parts, alternatives } = imageOf(state.config)
  // 6.1 prints the line before the alternatives are freed, 6.12 after it.
  const early = state.config.series === '6.1' ? alternatives : 0
  const managed = (state.boot.totalPages - returnedLate(state)) * 4 - early
  return `Memory: ${managed}K/${total}K available (${parts}, ${total - managed}K reserved, 0K cma-reserved)`
}

/** @kernel mm/page_alloc.c free_reserved_area() */
function logFreed(state: KernelState, say: (text: string, stepNs?: number) => void): void {
  const { freed } = imageOf(state.config)
  const initrd = returnedLate(state) * 4 - freed.reduce((sum, [, kb]) => sum + kb, 0)
  // A description that gives other pages back has another kernel.
  if (initrd < 0) return
  if (initrd > 0) say(`Freeing initrd memory: ${initrd}K`)
  for (const [what, kb] of freed) say(`Freeing unused ${what} memory: ${kb}K`)
}

function logZones(state: KernelState, say: (text: string) => void): void {
  say('Zone ranges:')
  for (let idx = 0; idx < 5; idx++) {
    if (idx === 3) continue
    const zones = state.zones.filter((z) => z.idx === idx && z.spanned > 0)
    const name = (ZONE_NAMES[idx] ?? '').padEnd(8)
    if (zones.length === 0) {
      say(`  ${name} empty`)
      continue
    }
    const start = Math.min(...zones.map((z) => z.startPfn)) * PAGE_SIZE
    const end = Math.max(...zones.map((z) => z.startPfn + z.spanned)) * PAGE_SIZE
    say(`  ${name} ${range(start, end)}`)
  }
  say('Movable zone start for each node')
  for (const zone of state.zones)
    if (zone.idx === 3 && zone.spanned > 0) say(`  Node ${zone.nid}: ${hex16(zone.startPfn * PAGE_SIZE)}`)
  say('Early memory node ranges')
  for (const node of state.config.nodes)
    for (const r of node.ranges) say(`  node ${String(node.nid).padStart(3)}: ${range(r.start, r.end)}`)
  for (const node of state.config.nodes) {
    const first = node.ranges[0]
    const last = node.ranges[node.ranges.length - 1]
    if (first === undefined || last === undefined) say(`Initmem setup node ${node.nid} as memoryless`)
    else say(`Initmem setup node ${node.nid} ${range(first.start, last.end)}`)
  }
}
