/** pmap over a process whose smaps is that of a small program. */
import { expect, test } from 'vitest'
import { testSession, type TestSession } from '../testing/session'

interface Part {
  readonly line: string
  readonly size: number
  readonly rss: number
  readonly sharedDirty?: number
  readonly privateDirty?: number
}

const part = ({ line, size, rss, sharedDirty = 0, privateDirty = 0 }: Part): string =>
  `${line}\nSize: ${size} kB\nKernelPageSize: 4 kB\nMMUPageSize: 4 kB\nRss: ${rss} kB\nPss: ${rss} kB\n` +
  `Shared_Clean: 0 kB\nShared_Dirty: ${sharedDirty} kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: ${privateDirty} kB\n` +
  `Anonymous: ${privateDirty} kB\nAnonHugePages: 0 kB\nSwap: 0 kB\nTHPeligible: 0\nVmFlags: rd mr \n`

const PARTS: readonly Part[] = [
  { line: '00400000-0077a000 r-xp 00000000 00:02 25          /usr/bin/bash', size: 3560, rss: 3344 },
  { line: '01000000-011d1000 rw-p 00000000 00:00 0           [heap]', size: 1860, rss: 16, privateDirty: 16 },
  { line: '7f0000000000-7f0000002000 rw-s 00001000 00:02 9   /data/a b', size: 8, rss: 8, sharedDirty: 4 },
  { line: '7f0000002000-7f0000003000 ---p 00000000 00:00 0 ', size: 4, rss: 0 },
  { line: '7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0   [stack]', size: 132, rss: 12, privateDirty: 12 },
]

function session(): TestSession {
  const s = testSession()
  s.machine.addFile('/proc/77/maps', PARTS.map(({ line }) => `${line}\n`).join(''))
  s.machine.addFile('/proc/77/smaps', PARTS.map(part).join(''))
  s.machine.addFile('/proc/77/cmdline', 'bash\0-c\0read x\0')
  s.machine.addFile('/proc/77/comm', 'bash\n')
  s.machine.addFile('/proc/2/maps', '')
  s.machine.addFile('/proc/2/comm', 'kthreadd\n')
  return s
}

test('pmap prints the layout of procps', async () => {
  expect(await session().run('pmap 77')).toBe(
    '77:   bash -c read x\n' +
      '0000000000400000   3560K r-x-- bash\n' +
      '0000000001000000   1860K rw---   [ anon ]\n' +
      '00007f0000000000      8K rw-s- a b\n' +
      '00007f0000002000      4K -----   [ anon ]\n' +
      '00007ffffffde000    132K rw---   [ stack ]\n' +
      ' total             5564K\n',
  )
})

test('pmap -x adds what is resident and what is dirty, shared or private', async () => {
  expect(await session().run('pmap -x 77')).toBe(
    '77:   bash -c read x\n' +
      'Address           Kbytes     RSS   Dirty Mode  Mapping\n' +
      '0000000000400000    3560    3344       0 r-x-- bash\n' +
      '0000000001000000    1860      16      16 rw---   [ anon ]\n' +
      '00007f0000000000       8       8       4 rw-s- a b\n' +
      '00007f0000002000       4       0       0 -----   [ anon ]\n' +
      '00007ffffffde000     132      12      12 rw---   [ stack ]\n' +
      '---------------- ------- ------- ------- \n' +
      'total kB            5564    3380      32\n',
  )
})

test('pmap -X has a column for each important row of smaps, -XX for all of them', async () => {
  const s = session()
  expect(await s.run('pmap -X 77')).toBe(
    '77:   bash -c read x\n' +
      '     Address Perm   Offset Device Inode Size  Rss  Pss Anonymous Swap THPeligible Mapping\n' +
      '    00400000 r-xp 00000000  00:02    25 3560 3344 3344         0    0           0 bash\n' +
      '    01000000 rw-p 00000000  00:00     0 1860   16   16        16    0           0 [heap]\n' +
      '7f0000000000 rw-s 00001000  00:02     9    8    8    8         0    0           0 a b\n' +
      '7f0000002000 ---p 00000000  00:00     0    4    0    0         0    0           0 \n' +
      '7ffffffde000 rw-p 00000000  00:00     0  132   12   12        12    0           0 [stack]\n' +
      '                                        ==== ==== ==== ========= ==== =========== \n' +
      '                                        5564 3380 3380        28    0           0 KB \n',
  )
  const [, titles = ''] = (await s.run('pmap -XX 77')).split('\n')
  expect(titles.trim().split(/\s+/).slice(5, 10)).toEqual(['Size', 'KernelPageSize', 'MMUPageSize', 'Rss', 'Pss'])
  expect(titles).toMatch(/VmFlags Mapping$/)
})

test('pmap -q leaves header and footer out, -p shows paths, -k the kernel’s names, -A a range', async () => {
  const s = session()
  expect((await s.run('pmap -q 77 | wc -l')).trim()).toBe('6')
  expect(await s.run('pmap -qxp 77 | sed -n 2p')).toBe('0000000000400000    3560    3344       0 r-x-- /usr/bin/bash\n')
  expect(await s.run('pmap -qk 77 | tail -1')).toBe('00007ffffffde000    132K rw--- [stack]\n')
  expect(await s.run('pmap -q -A 1000fff,7f0000000000 77 | tail -n +2')).toBe(
    '0000000001000000   1860K rw---   [ anon ]\n00007f0000000000      8K rw-s- a b\n',
  )
})

test('pmap -d shows offsets and devices, and sums what is writable alone and what is shared', async () => {
  const lines = (await session().run('pmap -d 77')).split('\n')
  expect(lines[1]).toBe('Address           Kbytes Mode  Offset           Device    Mapping')
  expect(lines[4]).toBe('00007f0000000000       8 rw-s- 0000000000001000 000:00002 a b')
  expect(lines.at(-2)).toBe('mapped: 5564K    writeable/private: 1992K    shared: 8K')
})

test('a thread of the kernel has no mappings; a pid that is not there ends with 42', async () => {
  const s = session()
  expect(await s.run('pmap 2')).toBe('2:   [kthreadd]\n total                0K\n')
  expect(await s.run('pmap 99 77 | head -1; pmap 99; echo $?')).toBe('77:   bash -c read x\n42\n')
})

test('what is no pid gets the usage, two layouts at once an error', async () => {
  const s = session()
  expect(await s.run('pmap abc 2>&1 | sed -n 3p; pmap -x -d 77 2>&1')).toBe(
    ' pmap [options] PID [PID ...]\npmap: options -c, -C, -d, -n, -N, -x, -X are mutually exclusive\n',
  )
})
