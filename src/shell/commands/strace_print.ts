/**
 * System calls as strace 6 writes them: arguments by their names, strings as far as 32 bytes, addresses in hexadecimal.
 * Structures that the simulator does not keep show as `{...}`, what a file without contents yields as bytes of 0.
 */
import { SYSCALL_NUMBERS, type SyscallName } from '../../engine/syscall_numbers'
import { ERRNO, strerror, type Errno } from '../../util/errno'
import { SIGNALS } from '../signals'

/** A call that has begun. */
export interface BegunCall {
  readonly name: SyscallName
  readonly args: readonly number[]
  readonly text: string
}

/** How it ended. */
export interface EndedCall {
  readonly result: number
  readonly out: number
  readonly text: string
}

const NAMES = new Map(Object.entries(SYSCALL_NUMBERS).map(([name, id]) => [id as number, name as SyscallName]))
export const syscallName = (id: number): SyscallName | undefined => NAMES.get(id)

const signalName = (signal: number): string => `SIG${SIGNALS[signal] ?? signal}`
const hex = (n: number): string => (n === 0 ? 'NULL' : `0x${n.toString(16)}`)
const plainHex = (n: number): string => (n === 0 ? '0' : `0x${n.toString(16)}`)

type Bits = readonly (readonly [bit: number, name: string])[]

/** Names of the bits that are set, what is left as a number. */
function flags(value: number, names: Bits, none: string, first: readonly string[] = []): string {
  let rest = value
  const words = [...first]
  for (const [bit, name] of names)
    if ((rest & bit) === bit) {
      words.push(name)
      rest &= ~bit
    }
  if (rest !== 0) words.push(`0x${rest.toString(16)}`)
  return words.join('|') || none
}

const PROT: Bits = [
  [1, 'PROT_READ'],
  [2, 'PROT_WRITE'],
  [4, 'PROT_EXEC'],
]
const MAP: Bits = [
  [0x10, 'MAP_FIXED'],
  [0x20, 'MAP_ANONYMOUS'],
  [0x100, 'MAP_GROWSDOWN'],
  [0x2000, 'MAP_LOCKED'],
  [0x4000, 'MAP_NORESERVE'],
  [0x8000, 'MAP_POPULATE'],
  [0x10000, 'MAP_NONBLOCK'],
  [0x20000, 'MAP_STACK'],
  [0x40000, 'MAP_HUGETLB'],
  [0x100000, 'MAP_FIXED_NOREPLACE'],
]
const MAP_TYPES = ['MAP_FILE', 'MAP_SHARED', 'MAP_PRIVATE', 'MAP_SHARED_VALIDATE']
const MREMAP: Bits = [
  [1, 'MREMAP_MAYMOVE'],
  [2, 'MREMAP_FIXED'],
  [4, 'MREMAP_DONTUNMAP'],
]
const MS: Bits = [
  [1, 'MS_ASYNC'],
  [2, 'MS_INVALIDATE'],
  [4, 'MS_SYNC'],
]
const MCL: Bits = [
  [1, 'MCL_CURRENT'],
  [2, 'MCL_FUTURE'],
  [4, 'MCL_ONFAULT'],
]
const OPEN: Bits = [
  [0x40, 'O_CREAT'],
  [0x200, 'O_TRUNC'],
  [0x400, 'O_APPEND'],
  [0x10000, 'O_DIRECTORY'],
]
const MPOL_MF: Bits = [
  [1, 'MPOL_MF_STRICT'],
  [2, 'MPOL_MF_MOVE'],
  [4, 'MPOL_MF_MOVE_ALL'],
]
const MPOL = ['DEFAULT', 'PREFERRED', 'BIND', 'INTERLEAVE', 'LOCAL', 'PREFERRED_MANY', 'WEIGHTED_INTERLEAVE']
const ADVICE: Readonly<Record<number, string>> = {
  ...{
    0: 'NORMAL',
    1: 'RANDOM',
    2: 'SEQUENTIAL',
    3: 'WILLNEED',
    4: 'DONTNEED',
    8: 'FREE',
    9: 'REMOVE',
    10: 'DONTFORK',
  },
  ...{ 11: 'DOFORK', 12: 'MERGEABLE', 13: 'UNMERGEABLE', 14: 'HUGEPAGE', 15: 'NOHUGEPAGE', 16: 'DONTDUMP' },
  ...{ 17: 'DODUMP', 18: 'WIPEONFORK', 19: 'KEEPONFORK', 20: 'COLD', 21: 'PAGEOUT', 22: 'POPULATE_READ' },
  23: 'POPULATE_WRITE',
}
const RLIMIT = ['CPU', 'FSIZE', 'DATA', 'STACK', 'CORE', 'RSS', 'NPROC', 'NOFILE', 'MEMLOCK', 'AS']

/** The size of a huge page is a field of its own above the flags. */
function mapFlags(value: number): string {
  const size = (value >>> 26) & 0x3f
  const type = MAP_TYPES[value & 0xf] ?? `0x${(value & 0xf).toString(16)}`
  const text = flags(value & ~0xf & 0x3ffffff, MAP, '', [type])
  return size === 0 ? text : `${text}|${size}<<MAP_HUGE_SHIFT`
}

/** `"text"`, with dots behind it when there is more than 32 characters. */
function quoted(text: string, isCut = text.length > 32): string {
  const shown = text.slice(0, 32).replace(/[\\"\n\t\r\0]/g, (c) => {
    const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\0': '\\0' }
    return escapes[c] ?? `\\${c}`
  })
  return `"${shown}"${isCut ? '...' : ''}`
}

/** What was transferred: text if it has any, else bytes of 0. */
const data = (text: string, bytes: number): string =>
  text === '' && bytes > 0 ? quoted('\0'.repeat(Math.min(32, bytes)), bytes > 32) : quoted(text, bytes > 32)

const mask = (bits: number): string => (bits === 0 ? 'NULL' : `[0x${bits.toString(16).padStart(16, '0')}]`)
const policy = (mode: number): string => `MPOL_${MPOL[mode & 0xff] ?? mode}`

function rlimit(bytes: number): string {
  if (bytes === -1) return 'RLIM64_INFINITY'
  return bytes > 1024 && bytes % 1024 === 0 ? `${bytes / 1024}*1024` : String(bytes)
}

function waitStatus(status: number): string {
  return status > 128
    ? `[{WIFSIGNALED(s) && WTERMSIG(s) == ${signalName(status - 128)}}]`
    : `[{WIFEXITED(s) && WEXITSTATUS(s) == ${status}}]`
}

function execve(text: string): string {
  const [path, ...rest] = JSON.parse(text) as (string | number)[]
  const vars = rest.pop()
  return `${quoted(String(path))}, [${rest.map((arg) => quoted(String(arg))).join(', ')}], [/* ${vars} vars */]`
}

const ACCESS = ['O_RDONLY', 'O_WRONLY', 'O_RDWR']

type Print = (a: (index: number) => number, call: BegunCall, ended: EndedCall | undefined) => string

/** Address and length. */
const range: Print = (a) => `${hex(a(0))}, ${a(1)}`
const fd: Print = (a) => String(a(0))
const path: Print = (_a, { text }) => quoted(text, false)

const PRINT: Readonly<Record<SyscallName, Print>> = {
  read: (a, _c, ended) =>
    `${a(0)}, ${ended === undefined || ended.result < 0 ? hex(a(1)) : data(ended.text, ended.result)}, ${a(2)}`,
  write: (a, { text }) => `${a(0)}, ${data(text, a(2))}, ${a(2)}`,
  close: fd,
  mmap: (a) =>
    `${hex(a(0))}, ${a(1)}, ${flags(a(2), PROT, 'PROT_NONE')}, ${mapFlags(a(3))}, ${a(4)}, ${plainHex(a(5))}`,
  mprotect: (a) => `${hex(a(0))}, ${a(1)}, ${flags(a(2), PROT, 'PROT_NONE')}`,
  munmap: range,
  brk: (a) => hex(a(0)),
  rt_sigaction: (a) => `${signalName(a(0))}, {...}, NULL, ${a(3)}`,
  mremap: (a) =>
    `${hex(a(0))}, ${a(1)}, ${a(2)}, ${flags(a(3), MREMAP, '0')}${(a(3) & 2) === 0 ? '' : `, ${hex(a(4))}`}`,
  msync: (a) => `${hex(a(0))}, ${a(1)}, ${flags(a(2), MS, '0')}`,
  mincore: (a) => `${hex(a(0))}, ${a(1)}, [...]`,
  madvise: (a) => `${hex(a(0))}, ${a(1)}, MADV_${ADVICE[a(2)] ?? a(2)}`,
  pause: () => '',
  clone: () => 'child_stack=NULL, flags=SIGCHLD',
  execve: (_a, { text }) => execve(text),
  wait4: (a, _c, ended) =>
    `${a(0)}, ${ended === undefined || ended.result < 0 ? 'NULL' : waitStatus(ended.out)}, 0, NULL`,
  kill: (a) => `${a(0)}, ${a(1) === 0 ? '0' : signalName(a(1))}`,
  fsync: fd,
  sync: () => '',
  unlink: path,
  rmdir: path,
  mkdir: (a, { text }) => `${quoted(text, false)}, 0${a(1).toString(8)}`,
  rename: (_a, { text }) =>
    text
      .split('\n')
      .map((name) => quoted(name, false))
      .join(', '),
  swapon: (a, { text }) => `${quoted(text, false)}, ${a(1)}`,
  swapoff: path,
  getdents64: (a, _c, ended) => `${a(0)}, {...} /* ${(ended?.result ?? 0) / 32} entries */, ${a(2)}`,
  setuid: fd,
  mlock: range,
  munlock: range,
  mlockall: (a) => flags(a(0), MCL, '0'),
  munlockall: () => '',
  prctl: (_a, { text }) => `PR_SET_NAME, ${quoted(text, false)}`,
  sched_setaffinity: (a) => `${a(0)}, ${a(1)}, [${a(2)}]`,
  clock_nanosleep: (a) =>
    `CLOCK_REALTIME, 0, {tv_sec=${Math.floor(a(2) / 1e9)}, tv_nsec=${Math.floor(a(2) % 1e9)}}, NULL`,
  exit_group: fd,
  mbind: (a) => `${hex(a(0))}, ${a(1)}, ${policy(a(2))}, ${mask(a(3))}, ${a(4)}, ${flags(a(5), MPOL_MF, '0')}`,
  set_mempolicy: (a) => `${policy(a(0))}, ${mask(a(1))}, ${a(2)}`,
  openat: (a, { text }) =>
    `AT_FDCWD, ${quoted(text, false)}, ${flags(a(2) & ~3, OPEN, '', [ACCESS[a(2) & 3] ?? ''])}${(a(2) & 0x40) === 0 ? '' : `, 0${a(3).toString(8)}`}`,
  newfstatat: (_a, { text }, ended) =>
    `AT_FDCWD, ${quoted(text, false)}, ${ended === undefined || ended.result < 0 ? 'NULL' : `{st_size=${ended.out}, ...}`}, 0`,
  move_pages: (a) => `${a(0)}, ${a(1)}, [...], NULL, [...], 0`,
  pipe2: (_a, _c, ended) => `[${(ended?.text ?? '').split(' ').join(', ')}], 0`,
  prlimit64: (a) =>
    `${a(0)}, RLIMIT_${RLIMIT[a(1)] ?? a(1)}, {rlim_cur=${rlimit(a(2))}, rlim_max=${rlimit(a(3))}}, NULL`,
  mlock2: (a) => `${hex(a(0))}, ${a(1)}, MLOCK_ONFAULT`,
}

/** `mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)` */
export function callText(call: BegunCall, ended: EndedCall | undefined): string {
  return `${call.name}(${PRINT[call.name]((i) => call.args[i] ?? 0, call, ended)})`
}

const ADDRESSES: ReadonlySet<SyscallName> = new Set(['mmap', 'mremap', 'brk'])
const BY_NUMBER = new Map(Object.entries(ERRNO).map(([name, [number]]) => [number as number, name as Errno]))

/** `0x7f0000000000`, `3`, `-1 ENOMEM (Cannot allocate memory)` */
export function resultText(name: SyscallName, result: number): string {
  const errno = result < 0 ? BY_NUMBER.get(-result) : undefined
  if (errno !== undefined) return `-1 ${errno} (${strerror(errno)})`
  return ADDRESSES.has(name) ? hex(result) : String(result)
}

const SEGV: Readonly<Record<number, string>> = { 1: 'SEGV_MAPERR', 2: 'SEGV_ACCERR', 0x80: 'SI_KERNEL' }

/** `--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---` @param detail  address, or sender */
export function signalText(signal: number, code: number, detail: number): string {
  const name = signalName(signal)
  const why =
    code === 0
      ? `si_code=SI_USER, si_pid=${detail}, si_uid=0`
      : `si_code=${signal === 7 ? 'BUS_ADRERR' : (SEGV[code] ?? code)}, si_addr=${hex(detail)}`
  return `--- ${name} {si_signo=${name}, ${why}} ---`
}
