import { expect, test } from 'vitest'
import { mm } from '.'

const start = (line: string) => mm.start(line.split(' '), {})

test('a word that a subcommand does not know is named, with those that it knows', () => {
  const refused = start('mm fault mb=1 mbs=3')
  expect(refused).toMatchObject({ ok: false, status: 2 })
  expect(!refused.ok && refused.usage).toMatch(/^mm fault: 'mbs=3' is not understood\nmm fault takes mb= mode= .*hold=/)
  expect(start('mm hog 100')).toMatchObject({ ok: false, status: 2 })
  expect(start('mm ms now')).toMatchObject({ ok: false, status: 2 })
})

test('--help says what there is', () => {
  expect(start('mm cow --help')).toMatchObject({
    ok: false,
    status: 0,
    usage: expect.stringMatching(/^mm cow takes mb= thp= /),
  })
  expect(start('mm nosuch')).toMatchObject({ ok: false, status: 2, usage: expect.stringContaining('fault|malloc|') })
})

test.each([
  'mm fault mb=1 thp=nohuge name=a',
  'mm numa policy=bind nodes=1 mb=64 cpu=0',
  'mm sample /tmp/o 100 0 /proc/vmstat:pgfault',
])('%s is understood', (line) => expect(start(line).ok).toBe(true))
