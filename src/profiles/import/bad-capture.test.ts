import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { layoutZones } from '../../engine/machine_layout'
import { formatUserError } from '../../util/result'
import { toConfig } from '../machine-config'
import { importCapture, readTar } from '.'
import { parseZoneinfo } from './zoneinfo'

const CASE = 'test/captures/truth/static-4g-2node'
const base = (name: string): string => readFileSync(join(CASE, 'base', name), 'utf8')

/** The same machine as the capture script would have left it. */
const host: Record<string, string> = {
  'proc/zoneinfo': base('zoneinfo'),
  'proc/meminfo': base('meminfo'),
  'proc/iomem': base('iomem'),
  'proc/cmdline': base('cmdline'),
  'proc/version': base('version'),
  'proc/swaps':
    'Filename\tType\tSize\tUsed\tPriority\n/dev/nvme0n1p3 partition 8388604 0 -2\n/swap.img file 1048572 0 5\n',
  'proc/sys/vm/swappiness': '10\n',
  'proc/sys/vm/min_free_kbytes': '90112\n',
  'proc/sys/vm/lowmem_reserve_ratio': '256\t256\t32\t0\t0\n',
  'sys/devices/system/node/node0/cpulist': '0-1\n',
  'sys/devices/system/node/node0/distance': '10 20\n',
  'sys/devices/system/node/node1/cpulist': '2-3\n',
  'sys/devices/system/node/node1/distance': '20 10\n',
  'dmesg.txt': gunzipSync(readFileSync(join(CASE, 'dmesg-boot.txt.gz'))).toString(),
}

function complaint(files: Record<string, string | undefined>): string {
  const given = Object.fromEntries(Object.entries(files).filter(([, text]) => text !== undefined)) as Record<
    string,
    string
  >
  const profile = importCapture(given, 'cap')
  return profile.ok ? 'accepted' : formatUserError(profile.error)
}

test('a capture of the script gives the machine, its swap areas and the sysctls that somebody changed', () => {
  const profile = importCapture(host, 'my-host.tar')
  if (!profile.ok) throw new Error(formatUserError(profile.error))
  expect(profile.value.name).toBe('my-host')
  expect(profile.value.devices).toEqual([
    { path: '/dev/nvme0n1p3', size: '8G', kind: 'nvme', use: 'swap', swapOnAtBoot: true },
    { path: '/dev/swap1', size: '1G', kind: 'ssd', use: 'swap', swapOnAtBoot: true, swapPriority: 5 },
  ])
  expect(profile.value.sysctls).toEqual({ 'vm.swappiness': '10' })
  expect(profile.value.distances).toEqual([
    [10, 20],
    [20, 10],
  ])
})

test('a min_free_kbytes that boot would not have computed is kept, one that it computes is not', () => {
  const sysctlsWith = (kib: string) => {
    const profile = importCapture({ ...host, 'proc/sys/vm/min_free_kbytes': `${kib}\n` }, 'cap')
    return profile.ok ? profile.value.sysctls : profile.error
  }
  expect(sysctlsWith('90112')).toEqual({ 'vm.swappiness': '10' })
  expect(sysctlsWith('200000')).toEqual({ 'vm.swappiness': '10', 'vm.min_free_kbytes': '200000' })
})

test('without a boot log the ranges come from iomem, and the note says what is missing', () => {
  const profile = importCapture({ ...host, 'dmesg.txt': '' }, 'cap')
  if (!profile.ok) throw new Error(formatUserError(profile.error))
  const zones = layoutZones(toConfig(profile.value)).filter((z) => z.present > 0)
  expect(zones.map((z) => [z.nid, z.spanned, z.present, z.managed])).toEqual([
    [0, 4095, 3998, 3840],
    [0, 520192, 520192, 502408],
    [1, 524288, 262109, 245725],
    [1, 262144, 262144, 253316],
  ])
})

describe('a capture that is not whole is refused with the file and the line', () => {
  const zoneinfo = host['proc/zoneinfo']!
  const lineOf = (text: string): number => zoneinfo.slice(0, zoneinfo.indexOf(text)).split('\n').length
  test.each<[string, Record<string, string | undefined>, string]>([
    ['no files', {}, 'cap: The capture holds no files. Give a folder or tar made by the capture script.'],
    [
      'no zoneinfo',
      { ...host, 'proc/zoneinfo': undefined },
      'cap: The capture has no proc/zoneinfo. Take it with the capture script, or give a folder with the files of /proc in it.',
    ],
    [
      'empty zoneinfo',
      { ...host, 'proc/zoneinfo': '' },
      'cap: proc/zoneinfo: The file is empty. Take the capture again, as root.',
    ],
    [
      'another file',
      { ...host, 'proc/zoneinfo': base('meminfo') },
      "cap: proc/zoneinfo: line 1: 'MemTotal:        4021156 kB' is not the start of a zoneinfo. The first line is like 'Node 0, zone      DMA'.",
    ],
    [
      'zoneinfo cut in a zone',
      { ...host, 'proc/zoneinfo': zoneinfo.slice(0, zoneinfo.indexOf('managed  253316')) },
      `cap: proc/zoneinfo: line ${lineOf('Node 1, zone   Normal')}: Zone Normal of node 1 has no 'managed' line: the file is cut off or altered. Take the capture again and copy the whole file.`,
    ],
    [
      'zoneinfo cut between zones',
      { ...host, 'proc/zoneinfo': zoneinfo.slice(0, zoneinfo.indexOf('Node 1, zone   Normal')) },
      'cap: proc/zoneinfo: Node 1 lists only DMA DMA32: the file is cut off after zone DMA32 of node 1. Take the capture again and copy the whole file.',
    ],
    [
      'no version',
      { ...host, 'proc/version': undefined, 'dmesg.txt': undefined },
      'cap: The capture has no proc/version. It says which kernel the machine ran; take the capture again.',
    ],
    [
      'no memory map',
      { ...host, 'proc/iomem': undefined, 'dmesg.txt': undefined },
      'cap: Nothing in the capture says where RAM lies: there is no proc/iomem, and no boot log with BIOS-e820 lines. Run the capture script as root.',
    ],
    [
      'iomem of an ordinary user',
      {
        ...host,
        'proc/iomem': '00000000-00000000 : Reserved\n00000000-00000000 : System RAM\n',
        'dmesg.txt': undefined,
      },
      'cap: proc/iomem: All addresses are zero: the kernel hides them from ordinary users. Run the capture script as root.',
    ],
    [
      'torn machine.json',
      { ...host, 'machine.json': '{"ram_mb": ' },
      'cap: machine.json: The file is not a JSON object. Take the capture again.',
    ],
  ])('%s', (_, files, message) => {
    expect(complaint(files)).toBe(message)
  })
})

describe('archives', () => {
  function tarOf(files: Record<string, string>): Uint8Array {
    const folder = mkdtempSync(join(tmpdir(), 'pagewalk-tar-'))
    try {
      const script = Object.entries(files).map(([path, text]) => ({ path, text }))
      for (const { path, text } of script) {
        execFileSync('sh', ['-c', 'mkdir -p "$(dirname "$1")" && cat > "$1"', 'sh', join(folder, path)], {
          input: text,
        })
      }
      return new Uint8Array(execFileSync('tar', ['cf', '-', '-C', folder, '.'], { maxBuffer: 1 << 26 }))
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  test('a tar holds the same files as the folder', () => {
    const long = `sys/${'deep/'.repeat(30)}file`
    const read = readTar(tarOf({ 'proc/version': 'Linux', [long]: 'x' }), 'a.tar')
    expect(read).toEqual({ ok: true, value: { './proc/version': 'Linux', [`./${long}`]: 'x' } })
  })

  test.each([
    [new Uint8Array([0x1f, 0x8b, 8]), 'a.tar: The archive is compressed with gzip. Unpack it first: gunzip.'],
    [
      new Uint8Array(1024).fill(65),
      'a.tar: byte 0: There is no tar header here. Give a tar made by the capture script, or a folder.',
    ],
    [new Uint8Array(1024), 'a.tar: The archive holds no files. Take the capture again.'],
  ])('broken archive %#', (bytes, message) => {
    const read = readTar(bytes, 'a.tar')
    expect(read.ok ? 'accepted' : formatUserError(read.error)).toBe(message)
  })

  test('an archive that was cut off says in which file', () => {
    const read = readTar(tarOf({ zoneinfo: 'x'.repeat(4000) }).subarray(0, 2048), 'a.tar')
    expect(read.ok ? 'accepted' : formatUserError(read.error)).toMatch(
      /^a\.tar: byte \d+: The archive ends inside \.\/zoneinfo\./,
    )
  })
})

describe.runIf(process.platform === 'linux')('the capture script on this machine', () => {
  test('takes a capture that gives the zones of /proc/zoneinfo, or says that it needs root', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pagewalk-capture-'))
    try {
      execFileSync('sh', ['resources/capture.sh', join(folder, 'here.tar')], { stdio: 'pipe' })
      const files = readTar(new Uint8Array(readFileSync(join(folder, 'here.tar'))), 'here.tar')
      if (!files.ok) throw new Error(formatUserError(files.error))
      const profile = importCapture(files.value, 'here.tar')
      if (!profile.ok) {
        expect(['import/hidden-addresses', 'import/no-memory-map']).toContain(profile.error.code)
        return
      }
      const captured = parseZoneinfo(files.value['./proc/zoneinfo']!, 'zoneinfo')
      if (!captured.ok) throw new Error(captured.error.message)
      const zones = layoutZones(toConfig(profile.value)).filter((z) => z.present > 0)
      expect(zones.map((z) => [z.nid, z.managed])).toEqual(
        captured.value.filter((z) => z.present > 0).map((z) => [z.nid, z.managed]),
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
