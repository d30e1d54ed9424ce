/** strace over programs of the real engine. */
import { expect, test } from 'vitest'
import { VM_512M } from '../../test/support/session'
import { loadMachine, toConfig } from '../profiles/index'
import { digestTree } from '../util/hash'
import { createHeadless, type Headless } from './headless'
import { programs, realEngine } from './real-engine'

function machine(): Headless {
  const profile = loadMachine(VM_512M, 'vm-512m.json')
  if (!profile.ok) throw new Error(profile.error.message)
  return createHeadless(toConfig(profile.value), 7, { engine: realEngine(), programs })
}

async function run(m: Headless, text: string): Promise<{ out: string; err: string; status: number }> {
  let out = ''
  let err = ''
  const { status } = await m.runScript(`cd\n${text}`, { onStdout: (t) => (out += t), onStderr: (t) => (err += t) })
  return { out, err, status }
}

test('a program’s calls stand in the order in which it makes them, with arguments and results as strace prints them', async () => {
  const m = machine()
  const { err, status } = await run(m, 'gcc fault_test.c -o fault_test; strace ./fault_test > /dev/null')
  const lines = err.trimEnd().split('\n')
  expect(status).toBe(0)
  expect(lines[0]).toBe('execve("/root/fault_test", ["./fault_test"], [/* 7 vars */]) = 0')
  expect(lines.map((line) => /^[a-z_]+/.exec(line)?.[0])).toEqual([
    'execve',
    'write',
    'mmap',
    'write',
    'write',
    'munmap',
    'write',
    'exit_group',
    undefined,
  ])
  // malloc(100 MiB): a mapping with a page more, whose 17th byte is the first of the data.
  const mapped =
    /^mmap\(NULL, 104861696, PROT_READ\|PROT_WRITE, MAP_PRIVATE\|MAP_ANONYMOUS, -1, 0\) = (0x[0-9a-f]+)$/.exec(
      lines[2]!,
    )
  expect(lines[5]).toBe(`munmap(${mapped![1]}, 104861696)       = 0`)
  expect(lines.slice(-2)).toEqual(['exit_group(0)                           = ?', '+++ exited with 0 +++'])
})

test('an access that kills is a signal with its siginfo', async () => {
  const { err } = await run(machine(), 'gcc null_deref.c -o n; strace ./n')
  expect(err.trimEnd().split('\n').slice(-2)).toEqual([
    '--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---',
    '+++ killed by SIGSEGV +++',
  ])
})

test('-f follows children, -e trace= chooses, -o writes into a file, an error has its name', async () => {
  const m = machine()
  const forked = await run(m, 'gcc cow_test.c -o c; strace -f -e trace=process ./c > /dev/null')
  const child = Number(/^strace: Process (\d+) attached$/m.exec(forked.err)![1])
  expect(forked.err).toContain(`clone(child_stack=NULL, flags=SIGCHLD)  = ${child}\n`)
  expect(forked.err).toContain(`wait4(${child}, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = ${child}\n`)
  expect(forked.err).not.toContain('write(')
  const failed = await run(m, 'gcc mmap_file.c -o f; strace -e trace=openat -o log ./f > /dev/null; head -1 log')
  expect(failed.out).toBe('openat(AT_FDCWD, "mmap_file.data", O_RDONLY) = -1 ENOENT (No such file or directory)\n')
  expect(failed.err).toBe('')
})

test('-p attaches to a task that runs', async () => {
  const m = machine()
  const { err } = await run(m, 'mm hog mb=20 hold=1 > /dev/null & sleep 0.001; strace -e memory -p $!')
  expect(err).toMatch(/^strace: Process \d+ attached\n/)
  expect(err.trimEnd().split('\n').at(-1)).toBe('+++ exited with 0 +++')
})

test('being traced changes nothing about a program', async () => {
  const [watched, alone] = [machine(), machine()]
  for (const m of [watched, alone]) await run(m, 'gcc cow_test.c -o c')
  const stop = watched.sys.trace(['sys_enter', 'sys_exit', 'signal_generate'], () => undefined)
  for (const m of [watched, alone]) await run(m, './c')
  stop()
  expect(digestTree(watched.state())).toBe(digestTree(alone.state()))
})

test.each([
  ['strace nosuch', "strace: Can't stat 'nosuch': No such file or directory\n"],
  ['strace -p 9999', 'strace: attach: ptrace(PTRACE_SEIZE, 9999): No such process\n'],
  ['strace -p 2', 'strace: attach: ptrace(PTRACE_SEIZE, 2): Operation not permitted\n'],
  ['strace -p x', "strace: Invalid process id: 'x'\n"],
  ['strace -e trace=nocall mm sample', "strace: invalid system call 'nocall'\n"],
  ['strace', "strace: must have PROG [ARGS] or -p PID\nTry 'strace -h' for more information.\n"],
])('%s', async (line, message) => {
  const { err, status } = await run(machine(), line)
  expect([err, status]).toEqual([message, 1])
})

test('a write behind the limit of file sizes ends whoever makes it with SIGXFSZ', async () => {
  const { out } = await run(machine(), '(ulimit -f 1; dd if=/dev/zero of=f bs=1M count=4; echo $?); ls -l f')
  expect(out).toMatch(/^153\n-rw-r--r-- 1 root root +1024 f\n$/)
})

test('perf counts and prints the same calls as tracepoints', async () => {
  const m = machine()
  await run(m, 'gcc fault_test.c -o fault_test')
  const counted = await run(m, 'perf stat -e raw_syscalls:sys_enter ./fault_test')
  expect(counted.err).toMatch(/^ +8 {6}raw_syscalls:sys_enter/m)
  await run(m, 'perf record -e raw_syscalls:* ./fault_test')
  const { out } = await run(m, 'perf script')
  expect(out).toContain('raw_syscalls:sys_enter: NR 9 (0, 6401000, 3, 22, ffffffffffffffff, 0)\n')
  expect(out).toContain('raw_syscalls:sys_enter: NR 231 (0, 0, 0, 0, 0, 0)\n')
})

test('a tool’s calls are those that it makes of the machine, its output among them', async () => {
  const { err } = await run(machine(), 'strace cat /proc/sys/vm/swappiness > /dev/null; strace mkdir /nowhere/a')
  const lines = err.trimEnd().split('\n')
  expect(lines.slice(1, 8)).toEqual([
    'openat(AT_FDCWD, "/proc/sys/vm/swappiness", O_RDONLY) = 3',
    'read(3, "60\\n", 131072)                 = 3',
    'read(3, "", 131072)                     = 0',
    'close(3)                                = 0',
    'write(1, "60\\n", 3)                     = 3',
    'exit_group(0)                           = ?',
    '+++ exited with 0 +++',
  ])
  expect(err).toContain('mkdir("/nowhere/a", 0777)               = -1 ENOENT (No such file or directory)\n')
})

test('-c counts calls and errors, and adds up their times', async () => {
  const { err } = await run(
    machine(),
    'gcc fault_test.c -o f; strace -c ./f > /dev/null; strace -c cat /nope 2>&1 | tail -1',
  )
  const rows = err.trimEnd().split('\n')
  expect(rows[0]).toBe('% time     seconds  usecs/call     calls    errors syscall')
  expect(rows.find((row) => row.endsWith(' write'))).toMatch(/ 4 {11}write$/)
  expect(rows.at(-1)).toMatch(/^100\.00 +0\.\d{6} +\d+ +7 {11}total$/)
})
