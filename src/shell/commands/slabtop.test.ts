import { expect, test } from 'vitest'
import { testSession } from '../testing/session'

const SLABINFO =
  'slabinfo - version: 2.1\n' +
  '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n' +
  'ext4_inode_cache       0      0   1168   14    4 : tunables    0    0    0 : slabdata      0      0      0\n' +
  'task_struct           75     87   8448    3    8 : tunables    0    0    0 : slabdata     29     29      0\n' +
  'dentry            137529 137529    192   21    1 : tunables    0    0    0 : slabdata   6549   6549      0\n'

function session(): ReturnType<typeof testSession> {
  const s = testSession()
  s.machine.addFile('/proc/slabinfo', SLABINFO)
  return s
}

test('slabtop -o prints totals and the caches with the most objects first', async () => {
  expect(await session().run('slabtop -o')).toBe(
    ' Active / Total Objects (% used)    : 137604 / 137616 (100.0%)\n' +
      ' Active / Total Slabs (% used)      : 6578 / 6578 (100.0%)\n' +
      ' Active / Total Caches (% used)     : 2 / 3 (66.7%)\n' +
      ' Active / Total Size (% used)       : 26405.44K / 26504.44K (99.6%)\n' +
      ' Minimum / Average / Maximum Object : 0.19K / 0.19K / 8.25K\n' +
      '\n' +
      '  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n' +
      '137529 137529 100%    0.19K   6549       21     26196K dentry                 \n' +
      '    87     75  86%    8.25K     29        3       928K task_struct            \n' +
      '     0      0   0%    1.14K      0       14         0K ext4_inode_cache       \n',
  )
})

test('-s sorts by another column, an unknown key is refused', async () => {
  const s = session()
  expect(await s.run('slabtop -o -s s | tail -n 3 | head -n 1')).toContain('task_struct')
  expect(await s.run('slabtop -o -s x; echo $?')).toBe("slabtop: invalid sort key 'x'\n1\n")
})
