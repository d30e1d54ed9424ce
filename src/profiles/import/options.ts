/** Kernel version and boot options of a captured machine. */
import type { MachineProfile } from '../machine'
import { SYSCTLS } from '../sysctls'
import type { BootLog } from './boot-log'
import { findProc, type CaptureFiles } from './files'

type Kernel = MachineProfile['kernel']

export interface KernelFacts {
  readonly kernel: Kernel
  readonly notes: readonly string[]
}

/** undefined when the capture nowhere says which kernel it was. */
export function kernelFacts(
  files: CaptureFiles,
  log: BootLog,
  machine: Record<string, unknown> | undefined,
): KernelFacts | undefined {
  const banner = findProc(files, 'version')?.text.trim() ?? log.banner ?? ''
  const release = /^Linux version (\S+)/.exec(banner)?.[1] ?? (machine?.['kernel'] as string | undefined)
  if (release === undefined) return undefined
  const notes: string[] = []
  const numbers = /^(\d+)\.(\d+)/.exec(release)
  const age = numbers ? Number(numbers[1]) * 1000 + Number(numbers[2]) : 0
  const series = age >= 6007 ? '6.12' : '6.1'
  if (age !== 6001 && age !== 6012)
    notes.push(`The kernel ${release} is followed as ${series}, the nearest that is modelled.`)
  const build = /(#\d+ .*)$/.exec(banner)?.[1]
  const cmdline =
    findProc(files, 'cmdline')?.text.trim() ?? log.cmdline ?? (machine?.['cmdline'] as string | undefined) ?? ''
  const mglru = multiGen(files)
  const thp = option(cmdline, 'transparent_hugepage') ?? hugePageSetting(files)
  return {
    kernel: {
      series,
      release,
      ...(build === undefined ? {} : { build }),
      cmdline: stripOwn(cmdline),
      ...(thp === 'always' || thp === 'madvise' || thp === 'never' ? { transparentHugepage: thp } : {}),
      ...core('kernelcore', cmdline),
      ...core('movablecore', cmdline),
      ...(mglru === undefined ? {} : { mglru }),
    },
    notes,
  }
}

function option(cmdline: string, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}=(\\S+)`).exec(cmdline)?.[1]
}

const stripOwn = (cmdline: string): string =>
  cmdline.replace(/(?:^|\s)(?:kernelcore|movablecore|transparent_hugepage)=\S+/g, '').trim()

const core = (name: 'kernelcore' | 'movablecore', cmdline: string): Partial<Kernel> => {
  const value = option(cmdline, name)
  return value === undefined ? {} : { [name]: value }
}

/** 'enabled = 0x0007' of a case, or the file itself. */
function multiGen(files: CaptureFiles): boolean | undefined {
  const text =
    files['sys/kernel/mm/lru_gen/enabled'] ??
    /lru_gen\/enabled = (\S+)/.exec(findProc(files, 'mm-params.txt')?.text ?? '')?.[1]
  return text === undefined ? undefined : Number(text.trim()) !== 0
}

/** '[always] madvise never'. A machine below 512 MiB shows never, whatever it was booted with: then nothing is known. */
function hugePageSetting(files: CaptureFiles): string | undefined {
  const text =
    files['sys/kernel/mm/transparent_hugepage/enabled'] ??
    /transparent_hugepage\/enabled = (.*)/.exec(findProc(files, 'mm-params.txt')?.text ?? '')?.[1]
  const chosen = /\[(\w+)\]/.exec(text ?? '')?.[1]
  const kib = Number(/MemTotal:\s+(\d+)/.exec(findProc(files, 'meminfo')?.text ?? '')?.[1] ?? 0)
  return chosen === 'never' && kib < 512 * 1024 ? undefined : chosen
}

/** Sysctls that somebody changed on the machine: those that differ from the kernel's own initial values. */
export function changedSysctls(files: CaptureFiles): Record<string, string> {
  const changed: Record<string, string> = {}
  for (const { name, initial } of SYSCTLS) {
    const value = files[`proc/sys/${name.replace('.', '/')}`]?.trim().replace(/\s+/g, ' ')
    if (initial !== '' && value !== undefined && value !== '' && value !== initial) changed[name] = value
  }
  return changed
}
