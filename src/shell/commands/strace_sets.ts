/** -e trace=: system calls by name, and strace's own sets of them. */
import { SYSCALL_NUMBERS, type SyscallName } from '../../engine/syscall_numbers'

export type Filter = (name: SyscallName) => boolean

/** @kernel strace: src/linux/x86_64/syscallent.h TM, TF, TD, TP, TS */
const SETS: Readonly<Record<string, readonly SyscallName[]>> = {
  memory: [
    ...(['mmap', 'mprotect', 'munmap', 'brk', 'mremap', 'msync', 'mincore', 'madvise', 'mlock', 'munlock'] as const),
    ...(['mlockall', 'munlockall', 'mbind', 'set_mempolicy', 'move_pages', 'mlock2'] as const),
  ],
  file: [
    ...(['execve', 'rename', 'mkdir', 'rmdir', 'unlink', 'swapon', 'swapoff'] as const),
    ...(['openat', 'newfstatat'] as const),
  ],
  desc: ['read', 'write', 'close', 'mmap', 'fsync', 'openat', 'newfstatat', 'pipe2', 'getdents64'],
  process: ['clone', 'execve', 'exit_group', 'wait4', 'kill'],
  signal: ['rt_sigaction', 'pause', 'kill'],
}

/** Sets can be written with % in front, and memory as they always were. */
function members(word: string): readonly SyscallName[] | undefined {
  const set = word.replace(/^%/, '')
  if (Object.hasOwn(SETS, set)) return SETS[set]
  if (word === 'all') return Object.keys(SYSCALL_NUMBERS) as SyscallName[]
  if (word === 'none') return []
  return Object.hasOwn(SYSCALL_NUMBERS, word) ? [word as SyscallName] : undefined
}

/**
 * @param text  'trace=memory', '%memory', 'mmap,munmap', 'trace=!read'; undefined: all
 * @returns     the word that is no system call and no set
 */
export function filterOf(text: string | undefined): Filter | string {
  if (text === undefined) return () => true
  const list = text.replace(/^(?:trace|t)=/, '')
  const isNegated = list.startsWith('!')
  const wanted = new Set<SyscallName>()
  for (const word of list.slice(isNegated ? 1 : 0).split(',')) {
    const names = members(word)
    if (names === undefined) return word
    for (const name of names) wanted.add(name)
  }
  return (name) => wanted.has(name) !== isNegated
}
