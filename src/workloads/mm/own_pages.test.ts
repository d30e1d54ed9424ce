import { expect, test } from 'vitest'
import { parseOwnPages } from './own_pages'

test('own pages are found in the maps of a static program', () => {
  const maps = `00400000-00401000 r--p 00000000 00:02 65                                 /bin/mm
00401000-0048a000 r-xp 00001000 00:02 65                                 /bin/mm
004b7000-004ba000 rw-p 000b6000 00:02 65                                 /bin/mm
004ba000-004c0000 rw-p 00000000 00:00 0 
233aa000-233cc000 rw-p 00000000 00:00 0                                  [heap]
7fc6b0542000-7fc6b0546000 r--p 00000000 00:00 0                          [vvar]
7fc6b0546000-7fc6b0548000 r-xp 00000000 00:00 0                          [vdso]
7ffcf7ccf000-7ffcf7cf0000 rw-p 00000000 00:00 0                          [stack]
`
  expect(parseOwnPages(maps)).toEqual({
    text: 0x401000,
    data: 0x4b7000,
    vdso: 0x7fc6b0546000,
    stack: 0x7ffcf7cef000,
  })
})
