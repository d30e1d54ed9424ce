import { expect, test } from 'vitest'
import { testSession, type TestSession } from '../testing/session'

const MEMINFO = `MemTotal:       24684084 kB
MemFree:        22523820 kB
MemAvailable:   24112916 kB
Buffers:           13896 kB
Cached:          1849892 kB
SwapCached:            0 kB
Active:           300000 kB
Inactive:         200000 kB
SwapTotal:       1048572 kB
SwapFree:         948572 kB
Dirty:                 0 kB
Writeback:             0 kB
Shmem:              8872 kB
SReclaimable:      39884 kB
`

function session(): TestSession {
  const s = testSession()
  s.machine.addFile('/proc/meminfo', MEMINFO)
  s.machine.addFile('/proc/vmstat', 'pswpin 100\npswpout 200\npgpgin 4000\npgpgout 8000\n')
  s.machine.addFile(
    '/proc/stat',
    'cpu  100 0 50 850 0 0 0 0 0 0\nctxt 5000\nintr 900\nprocs_running 3\nprocs_blocked 1\nprocesses 99\n',
  )
  return s
}

// The first table is that of spec 09 §9.11, with swap added.
test('free prints the table of procps', async () => {
  expect(await session().run('free')).toBe(
    '               total        used        free      shared  buff/cache   available\n' +
      'Mem:        24684084      571168    22523820        8872     1903672    24112916\n' +
      'Swap:        1048572      100000      948572\n',
  )
})

test('free -m, -h, -w and -t', async () => {
  const s = session()
  expect(await s.run('free -m | tail -2')).toBe(
    'Mem:           24105         557       21995           8        1859       23547\nSwap:           1023          97         926\n',
  )
  expect(await s.run('free -h | head -2')).toBe(
    '               total        used        free      shared  buff/cache   available\n' +
      'Mem:            23Gi       557Mi        21Gi       8.7Mi       1.8Gi        22Gi\n',
  )
  expect(await s.run('free -wt')).toBe(
    '               total        used        free      shared     buffers       cache   available\n' +
      'Mem:        24684084      571168    22523820        8872       13896     1889776    24112916\n' +
      'Swap:        1048572      100000      948572\n' +
      'Total:      25732656      671168    23472392\n',
  )
})

test('vmstat: averages since boot, then rates', async () => {
  const s = session()
  const running = s.shell.run('vmstat 1 2')
  await s.machine.advance(5e8)
  s.machine.addFile('/proc/vmstat', 'pswpin 125\npswpout 200\npgpgin 5000\npgpgout 8000\n')
  s.machine.addFile(
    '/proc/stat',
    'cpu  150 0 100 850 0 0 0 0 0 0\nctxt 5500\nintr 1000\nprocs_running 1\nprocs_blocked 0\n',
  )
  await s.machine.settle(running)
  const [, , first = '', second = ''] = s.seen().split('\n')
  expect(s.seen()).toContain(
    'procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n' +
      ' r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st\n',
  )
  expect(first).toMatch(/^ 2 {2}1 100000 22523820 {2}13896 1889776 +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ 10 {2}5 85 {2}0 {2}0$/)
  expect(second).toMatch(
    /^ 0 {2}0 100000 22523820 {2}13896 1889776 {2}100 {4}0 {2}1000 {5}0 {2}100 {2}500 50 50 {2}0 {2}0 {2}0$/,
  )
})

test('sysctl reads, writes and refuses as on Linux', async () => {
  const s = session()
  s.machine.addFile('/proc/sys/vm/swappiness', '60\n', { onWrite: (t) => (Number(t) <= 200 ? undefined : 'EINVAL') })
  s.machine.addFile('/proc/sys/vm/vfs_cache_pressure', '100\n')
  expect(await s.run('sudo sysctl vm.swappiness=10; sysctl vm.swappiness; sysctl -n vm/vfs_cache_pressure')).toBe(
    'vm.swappiness = 10\nvm.swappiness = 10\n100\n',
  )
  expect(await s.run('sysctl -w vm.swappiness=999; echo $?; sysctl vm.nope; sysctl -a')).toBe(
    'sysctl: setting key "vm.swappiness": Invalid argument\n1\n' +
      'sysctl: cannot stat /proc/sys/vm/nope: No such file or directory\n' +
      'vm.swappiness = 10\nvm.vfs_cache_pressure = 100\n',
  )
})

test('dmesg prints the log, without or with dates', async () => {
  const s = session()
  s.machine.addFile('/dev/kmsg', '[    0.000000] Linux version 6.12\n[    1.500000] Killed process 5\n')
  expect(await s.run('sudo dmesg | tail -1; dmesg -t; dmesg -T | head -1')).toBe(
    '[    1.500000] Killed process 5\nLinux version 6.12\nKilled process 5\n[Tue Nov 14 22:13:20 2023] Linux version 6.12\n',
  )
})

test('ps, pgrep, pidof and pkill see the tasks of /proc', async () => {
  const s = session()
  await s.run('mm hold=-1 log=/tmp/l & mm hold=-1 log=/tmp/l &')
  expect(await s.run('ps -eo pid,ppid,comm | head -4; ps -o pid= -p 101; pidof mm; pgrep -c mm; pgrep -l "^b"')).toBe(
    '    PID    PPID COMMAND\n    100       1 bash\n    101     100 mm\n    102     100 mm\n    101\n102 101\n2\n100 bash\n',
  )
  expect(await s.run('ps aux | head -1; ps -ef | head -1')).toBe(
    'USER         PID %CPU %MEM     VSZ    RSS TTY      STAT START   TIME COMMAND\nUID          PID    PPID  C STIME TTY          TIME CMD\n',
  )
  expect(await s.run('pkill -9 mm; echo $?; pgrep mm; echo $?')).toContain('0\n1\n')
})

test('directories: the message of each tool when the machine refuses', async () => {
  const s = session()
  expect(
    await s.run(
      'mkdir /sys/fs/cgroup/a/b; mkdir -p /tmp/d/e; mkdir /tmp/d; rmdir /tmp/nope; rm /tmp/d; rm -r /tmp/d; ls /tmp/d; mv /x /y',
    ),
  ).toBe(
    "mkdir: cannot create directory '/sys/fs/cgroup/a/b': No such file or directory\n" +
      "mkdir: cannot create directory '/tmp/d': File exists\n" +
      "rmdir: failed to remove '/tmp/nope': No such file or directory\n" +
      "rm: cannot remove '/tmp/d': Is a directory\n" +
      "ls: cannot access '/tmp/d': No such file or directory\n" +
      "mv: cannot move '/x' to '/y': No such file or directory\n",
  )
})

test('every tool says what it is with --help, and help lists it', async () => {
  const s = session()
  const names = (await s.run('help')).match(/^ {2}\S+(?= +\S)/gm) ?? []
  expect(names.length).toBeGreaterThan(90)
  for (const name of ['awk', 'free', 'watch', 'ps', 'timeout', 'mount', 'swapon'])
    expect(await s.run(`${name} --help`)).toMatch(new RegExp(`^Usage: ${name}`))
})

test('dd tells size, time and rate; what makes no sense is refused by name', async () => {
  const s = session()
  const said = await s.run('dd if=/dev/zero of=/tmp/small bs=1k count=3 2>&1 | tail -1 | cut -d, -f1-2')
  expect(said).toBe('3072 bytes (3.1 kB, 3.0 KiB) copied\n')
  expect(await s.run('dd if=/dev/zero bs=1k count=1000000 2>&1 | head -1')).toMatch(/64 MiB at most/)
  expect(await s.run('dd if=/dev/zero of=/dev/null 2>&1 | head -1')).toMatch(/have no end: give count=/)
  expect(await s.run('dd if=/dev/zero of=/tmp/x count=1x 2>&1 | head -1')).toBe("dd: invalid number: '1x'\n")
  expect(await s.run('dd if=/dev/zero of=/tmp/x oflag=direct 2>&1 | head -1')).toMatch(/go through the page cache/)
})

test('tar and dd carry a folder of text away', async () => {
  const s = session()
  s.machine.addFile('/out/a/b.txt', 'hello\n')
  s.machine.addFile('/dev/vda', '', { kind: 'device' })
  expect(await s.run('tar cf - -C /out . | dd of=/dev/vda bs=64k conv=fsync 2>/dev/null || echo failed')).toBe('')
  const archive = s.machine.files.get('/dev/vda')?.content ?? ''
  expect(archive.length % 512).toBe(0)
  expect(archive).toContain('./a/b.txt')
  expect(archive).toContain('hello\n')
  expect(archive.slice(257, 263)).toBe('ustar\0')
})
