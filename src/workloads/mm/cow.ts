/** `mm cow`: a parent and its children write to memory that they share after fork. */
import type { Op, ProgramData } from '../../engine/task'
import { stdout, type Step } from '../steps'
import { MB, alignedRegionSteps, commonSteps, createData, longOption, option, type MmData } from './options'
import { findOwnPages, runText, runVdso, writeData, writeStack } from './own_pages'
import { phaseSteps } from './phase'

type S = Step<MmData>
const phase = (name: string): readonly S[] => phaseSteps<MmData>(name, true)
const begin = phaseSteps<MmData>('', false)
const write = (d: MmData): Op => ({ op: 'touch', address: d.address, length: d.bytes, mode: 'write' })
const writeHalf = (d: MmData): Op => ({ op: 'touch', address: d.address, length: d.bytes / 2, mode: 'write' })
const read = (d: MmData): Op => ({ op: 'touch', address: d.address, length: d.bytes, mode: 'read' })

/** A child's data: the parent's, at the first step of the child's part. */
function childData(d: MmData, part: string): ProgramData {
  return { ...d, pc: 0, part, phase: undefined }
}

const fork =
  (part: string): S =>
  (d) => ({ op: 'fork', child: childData(d, part) })
/** The descriptors of the pipe that was opened last are kept. */
const openPipe: readonly S[] = [
  () => ({ op: 'pipe' }),
  (d, view) => {
    const [readEnd, writeEnd] = view.text.split(' ').map(Number)
    d['readEnd'] = readEnd
    d['writeEnd'] = writeEnd
    return undefined
  },
]
const keepChild: S = (d, view) => {
  d['child'] = view.result
  return undefined
}
const waitChild: S = (d) => ({ op: 'wait', pid: Number(d['child']) })

/** A child measures: it has its own stack by then, and takes its data, the clock and its text anew. */
const childBegin: readonly S[] = [writeStack, ...begin, writeData, runVdso, runText]

/** Children, by part. The second one waits at a pipe until its parent has written. */
export const cowChildren: Readonly<Record<string, readonly S[]>> = {
  first: [
    ...childBegin,
    read,
    ...phase('child1_read_all'),
    write,
    ...phase('child1_write_all(copy)'),
    write,
    ...phase('child1_write_again'),
  ],
  second: [
    (d) => ({ op: 'read', fd: Number(d['readEnd']), length: 1 }),
    ...childBegin,
    write,
    ...phase('child2_write_all(reuse)'),
  ],
  third: [...childBegin, writeHalf, ...phase('child3_write_half(copy)')],
}

export const cowSteps: readonly S[] = [
  ...commonSteps,
  (d) => {
    d.bytes = longOption(d.args, 'mb', 64) * MB
    return stdout(`# cow mb=${d.bytes / MB} thp=${option(d.args, 'thp', 'nohuge')}\n`)
  },
  ...phase('warmup'),
  ...phase('empty_phase'),
  ...findOwnPages,
  ...alignedRegionSteps,
  (d) => ({
    op: 'madvise',
    address: d.address,
    length: d.bytes,
    advice: option(d.args, 'thp', 'nohuge') === 'huge' ? 'hugepage' : 'nohugepage',
  }),
  ...begin,
  write,
  ...phase('parent_write_all'),
  ...openPipe,
  ...openPipe,
  ...begin,
  fork('first'),
  keepChild,
  writeStack,
  ...phase('parent_fork'),
  writeData,
  waitChild,
  ...phase('parent_wait_child1'),
  write,
  ...phase('parent_write_after_exit(reuse)'),
  fork('second'),
  keepChild,
  writeStack,
  ...phase('parent_fork2'),
  writeData,
  write,
  ...phase('parent_write_shared(copy)'),
  (d) => ({ op: 'write', fd: Number(d['writeEnd']), length: 1 }),
  waitChild,
  ...phase('parent_wait_child2'),
  write,
  ...phase('parent_write_final'),
  fork('third'),
  keepChild,
  ...begin,
  writeStack,
  writeData,
  waitChild,
  ...phase('parent_wait_child3'),
  (d) => ({ op: 'munmap', address: d.address, length: d.bytes }),
  ...phase('munmap'),
]

export const createCow = (args: readonly string[]): MmData => createData(args)
