/**
 * Small files of /proc that describe the machine: version, cmdline, cpuinfo, uptime, stat, mounts, iomem.
 * @kernel  fs/proc/{version,cmdline,uptime,stat,loadavg}.c, fs/proc_namespace.c, kernel/resource.c
 */
import { now } from '../exec'
import { PAGE_SIZE } from '../../util/units'
import { klogLine } from '../klog'
import type { KernelState } from '../state'

export const versionText = (state: KernelState): string =>
  `Linux version ${state.config.release} (debian-kernel@lists.debian.org) ${state.config.version}\n`

export const kmsgText = (state: KernelState): string => state.klog.map((l) => `${klogLine(l)}\n`).join('')

const hundredths = (ns: number): string => (Math.floor(ns / 10_000_000) / 100).toFixed(2)

export function uptimeText(state: KernelState): string {
  let idle = 0
  for (const rq of state.runqueues) idle += Math.max(0, now(state) - rq.busyNs)
  return `${hundredths(now(state))} ${hundredths(idle)}\n`
}

/** Features that matter to memory, in the order of arch/x86/include/asm/cpufeatures.h. */
function cpuFlags({ config, tlb }: KernelState): string {
  const flags: (readonly [string, boolean])[] = [
    ['fpu', true],
    ['pse', true],
    ['tsc', true],
    ['msr', true],
    ['pae', true],
    ['pge', true],
    ['pat', true],
    ['pse36', true],
    ['clflush', true],
    ['syscall', true],
    ['nx', true],
    ['pdpe1gb', tlb.gigabytePages],
    ['lm', true],
    ['pcid', tlb.pcid],
    ['pti', config.pti === true],
    ['invpcid', tlb.pcid],
    ['la57', config.fiveLevelPaging === true],
  ]
  return flags.flatMap(([name, isThere]) => (isThere ? [name] : [])).join(' ')
}

/** @kernel arch/x86/kernel/cpu/proc.c show_cpuinfo(); @simplifies only what the simulated processor has */
export function cpuinfoText(state: KernelState): string {
  const { config } = state
  const vendor = config.cpuModel.startsWith('AMD') ? 'AuthenticAMD' : 'GenuineIntel'
  const virtualBits = config.fiveLevelPaging === true ? 57 : 48
  return state.cpuNode
    .map(
      (_nid, cpu) =>
        `processor\t: ${cpu}\nvendor_id\t: ${vendor}\nmodel name\t: ${config.cpuModel}\n` +
        `cache size\t: 16384 KB\nflags\t\t: ${cpuFlags(state)}\n` +
        `address sizes\t: 46 bits physical, ${virtualBits} bits virtual\n\n`,
    )
    .join('')
}

/** CPU ticks: user, nice, system, idle, iowait … @kernel show_stat() */
export function procStatText(state: KernelState): string {
  let user = 0
  let system = 0
  let running = 0
  let blocked = 0
  let switches = 0
  for (const pid of state.taskList) {
    const task = state.tasks[pid]!
    if (task.state === 'R') running++
    if (task.state === 'D') blocked++
  }
  const tick = (ns: number): number => Math.floor(ns / 10_000_000)
  const rows = state.runqueues.map((rq, cpu) => {
    user += rq.userNs
    system += rq.busyNs - rq.userNs
    switches += rq.switches
    const idle = Math.max(0, now(state) - rq.busyNs)
    return `cpu${cpu} ${tick(rq.userNs)} 0 ${tick(rq.busyNs - rq.userNs)} ${tick(idle)} 0 0 0 0 0 0\n`
  })
  const idle = Math.max(0, now(state) * state.runqueues.length - user - system)
  return (
    `cpu  ${tick(user)} 0 ${tick(system)} ${tick(idle)} 0 0 0 0 0 0\n${rows.join('')}` +
    `intr ${state.eventCount}\nctxt ${switches}\nbtime 0\nprocesses ${state.lastPid}\n` +
    `procs_running ${running}\nprocs_blocked ${blocked}\n`
  )
}

export const mountsText = (state: KernelState): string =>
  state.mounts.map((m) => `${m.source} ${m.path} ${m.fs} ${m.readOnly ? 'ro' : 'rw'},relatime 0 0\n`).join('')

const hexAddress = (n: number): string => n.toString(16).padStart(8, '0')

/** @kernel kernel/resource.c; @simplifies RAM and reserved ranges, no devices */
export function iomemText(state: KernelState): string {
  return state.config.firmware
    .map(
      (r) => `${hexAddress(r.start)}-${hexAddress(r.end - 1)} : ${r.type === 'usable' ? 'System RAM' : 'Reserved'}\n`,
    )
    .join('')
}

/** Partitions as lsblk-like tools read them. */
export const partitionsText = (state: KernelState): string =>
  'major minor  #blocks  name\n\n' +
  state.devices
    .map((d, i) => ` 254 ${String(i * 16).padStart(8)} ${String(d.sizeBytes / 1024).padStart(10)} ${d.path.slice(5)}\n`)
    .join('')

export const diskstatsText = (state: KernelState): string =>
  state.devices
    .map(
      (d, i) =>
        ` 254 ${String(i * 16).padStart(7)} ${d.path.slice(5)} ${d.readBytes / PAGE_SIZE} 0 ${d.readBytes / 512} 0 ` +
        `${d.writtenBytes / PAGE_SIZE} 0 ${d.writtenBytes / 512} 0 0 0 0\n`,
    )
    .join('')
