/**
 * How small tools and shells look in memory, for each user land.
 * @spec 11 §0: busybox of the capture machines; debian: coreutils and bash, measured on Debian 12 to the nearest ten pages
 */
import type { MachineConfig } from './config'
import type { ProgramImage } from './task'

const BUSYBOX = '/bin/busybox'
const busybox = (totalVm: number, textPages: number): ProgramImage => ({
  path: BUSYBOX,
  totalVm,
  textPages,
  anonPages: 14,
})

const BUSYBOX_SHELL = busybox(565, 244)
const BUSYBOX_TOOLS: Readonly<Record<string, ProgramImage>> = {
  awk: { ...busybox(598, 276), anonPages: 40 },
  cat: busybox(581, 331),
}

const debian = (name: string, totalVm: number, textPages: number, anonPages: number): ProgramImage => ({
  path: `/usr/bin/${name}`,
  totalVm,
  textPages,
  anonPages,
})
const DEBIAN_SHELL = debian('bash', 1860, 890, 160)

/** Image of the login shell and of its subshells. */
export const shellImage = (config: MachineConfig): ProgramImage =>
  config.userland === 'initramfs' ? BUSYBOX_SHELL : DEBIAN_SHELL

/** Image of a tool by name. */
export function toolImage(config: MachineConfig, name: string): ProgramImage {
  const base = name.split('/').pop()!
  if (config.userland === 'initramfs') return BUSYBOX_TOOLS[base] ?? busybox(581, 300)
  if (base === 'bash' || base === 'sh') return DEBIAN_SHELL
  return debian('coreutils', 1380, 430, 34)
}

/** Files that boot must put on the root file system, with their sizes in pages. */
export function imageFiles(config: MachineConfig): readonly { readonly path: string; readonly pages: number }[] {
  if (config.userland === 'initramfs') return [{ path: BUSYBOX, pages: 615 }]
  return [
    { path: '/usr/bin/bash', pages: 890 },
    { path: '/usr/bin/coreutils', pages: 430 },
  ]
}
