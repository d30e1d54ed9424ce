import { expect, test } from 'vitest'
import { readTar } from './tar'

const encoder = new TextEncoder()

/** One ustar entry, by hand. */
function entry(name: string, text: string, type = '0'): Uint8Array {
  const body = encoder.encode(text)
  const bytes = new Uint8Array(512 + Math.ceil(body.length / 512) * 512)
  bytes.set(encoder.encode(name), 0)
  bytes.set(encoder.encode(body.length.toString(8).padStart(11, '0')), 124)
  bytes.set(encoder.encode('        '), 148)
  bytes[156] = type.charCodeAt(0)
  const sum = bytes.subarray(0, 512).reduce((a, b) => a + b, 0)
  bytes.set(encoder.encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
  bytes.set(body, 512)
  return bytes
}
const archive = (...entries: Uint8Array[]): Uint8Array => {
  const all = [...entries, new Uint8Array(1024)]
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of all) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

test('files come by their path; directories are nothing', () => {
  const read = readTar(
    archive(
      entry('./proc/', '', '5'),
      entry('./proc/zoneinfo', 'Node 0, zone DMA\n'),
      entry('proc/vmstat', 'nr_free_pages 1\n'),
    ),
    'box.tar',
  )
  expect(read).toEqual({
    ok: true,
    value: { 'proc/zoneinfo': 'Node 0, zone DMA\n', 'proc/vmstat': 'nr_free_pages 1\n' },
  })
})

test('a long name of GNU tar is the name of the next file', () => {
  const long = `sys/${'a'.repeat(120)}`
  const read = readTar(archive(entry('././@LongLink', `${long}\0`, 'L'), entry(long.slice(0, 99), 'x')), 'box.tar')
  expect(read.ok && Object.keys(read.value)).toEqual([long])
})

test('a truncated archive names the file in which it ends', () => {
  const whole = archive(entry('proc/zoneinfo', 'x'.repeat(2000)))
  expect(readTar(whole.subarray(0, 1200), 'box.tar')).toMatchObject({
    ok: false,
    error: { code: 'tar/truncated', message: 'ends inside proc/zoneinfo.' },
  })
})

test('what is no archive is refused with the place', () => {
  expect(readTar(encoder.encode('hello'.repeat(300)), 'notes.txt')).toMatchObject({
    ok: false,
    error: { code: 'tar/bad-header', where: 'notes.txt' },
  })
})
