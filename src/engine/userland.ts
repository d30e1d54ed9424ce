/**
 * What runs before the user types anything: pid 1 and, on a Debian machine, a handful of services in their cgroups.
 */
import { cgroupByPath, createCgroup, migrateProcess, writeSubtreeControl } from './cgroup'
import { imageFiles, shellImage } from './images'
import { createTask, startTask } from './lifecycle'
import { installFile, installText } from './machine_files'
import { context } from './context'
import type { KernelState } from './state'
import type { Program, ProgramImage } from './task'

interface Service {
  readonly name: string
  readonly cgroup: string
  readonly image: ProgramImage
  readonly oomScoreAdj: number
}

const service = (
  name: string,
  unit: string,
  totalVm: number,
  textPages: number,
  anonPages: number,
  oomScoreAdj = 0,
): Service => ({
  name,
  cgroup: `/system.slice/${unit}`,
  image: { path: `/usr/sbin/${name}`, totalVm, textPages, anonPages },
  oomScoreAdj,
})

/** Sizes as on an idle Debian 12 server, to the nearest hundred pages. */
const SERVICES: readonly Service[] = [
  service('systemd-journald', 'systemd-journald.service', 8200, 1700, 500, -250),
  service('systemd-udevd', 'systemd-udevd.service', 6600, 1000, 400, -1000),
  service('dbus-daemon', 'dbus.service', 2300, 900, 200, -900),
  service('cron', 'cron.service', 1700, 500, 100),
  service('sshd', 'ssh.service', 3900, 1600, 300, -1000),
]

const SYSTEMD: ProgramImage = { path: '/usr/lib/systemd/systemd', totalVm: 25500, textPages: 1900, anonPages: 1000 }

/** Whether the machine's user land carries the program. */
export const hasProgram = (state: KernelState, program: Program): boolean =>
  program.isServer !== true || state.config.userland === 'debian'

/** Files, groups and first processes. */
export function startUserland(state: KernelState): void {
  for (const file of imageFiles(state.config)) installFile(state, file.path, file.pages, true)
  for (const program of Object.values(context.programs)) {
    if (program.source !== undefined || !hasProgram(state, program)) continue
    // The capture machines carried the lab program only; what they did not have costs them nothing.
    installFile(state, program.image.path, program.image.textPages, program.name === 'mm')
  }
  if (state.config.userland === 'debian') startDebian(state)
}

/** What an installation would have written down: the disks that are there. */
function fstab({ config }: KernelState): string {
  const swap = config.blockDevices.flatMap(({ path, swap }) => {
    if (swap === undefined) return []
    const priority = swap.priority === undefined ? '' : `,pri=${swap.priority}`
    return [`${path} none swap ${swap.onAtBoot ? 'sw' : 'sw,noauto'}${priority} 0 0\n`]
  })
  return `# <file system> <mount point> <type> <options> <dump> <pass>\n${swap.join('')}`
}

function startDebian(state: KernelState): void {
  writeSubtreeControl(state, 1, '+cpuset +cpu +io +memory +pids')
  for (const path of ['/init.scope', '/system.slice', '/user.slice']) makeGroup(state, path)
  writeSubtreeControl(state, cgroupByPath(state, '/system.slice')!.id, '+cpu +io +memory +pids')
  writeSubtreeControl(state, cgroupByPath(state, '/user.slice')!.id, '+memory +pids')
  makeGroup(state, '/user.slice/user-0.slice')
  writeSubtreeControl(state, cgroupByPath(state, '/user.slice/user-0.slice')!.id, '+memory +pids')
  makeGroup(state, '/user.slice/user-0.slice/session-1.scope')
  for (const program of Object.values(context.programs)) {
    if (program.source !== undefined) installText(state, `/root/${program.name}`, program.source)
  }
  installText(state, '/etc/fstab', fstab(state))
  installFile(state, SYSTEMD.path, SYSTEMD.textPages, true)
  const init = state.tasks[1]!
  init.op = { op: 'exec', argv: ['systemd'], program: 'tool', image: SYSTEMD, forked: shellImage(state.config) }
  migrateProcess(state, 1, cgroupByPath(state, '/init.scope')!.id)
  for (const s of SERVICES) {
    makeGroup(state, s.cgroup)
    installFile(state, s.image.path, s.image.textPages, true)
    const task = createTask(state, {
      ppid: 1,
      comm: s.name,
      argv: [s.image.path],
      program: 'host',
      data: {},
      op: { op: 'exec', argv: [s.image.path], program: 'tool', image: s.image, forked: shellImage(state.config) },
      isKthread: false,
    })
    task.oomScoreAdj = s.oomScoreAdj
    task.oomScoreAdjMin = Math.min(0, s.oomScoreAdj)
    migrateProcess(state, task.pid, cgroupByPath(state, s.cgroup)!.id)
    startTask(state, task)
  }
}

function makeGroup(state: KernelState, path: string): void {
  const at = path.lastIndexOf('/')
  const parent = cgroupByPath(state, path.slice(0, at) || '/')
  if (parent !== undefined && cgroupByPath(state, path) === undefined)
    createCgroup(state, parent.id, path.slice(at + 1))
}
