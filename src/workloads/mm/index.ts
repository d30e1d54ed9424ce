/**
 * `mm`, the lab program of the captures: one program with subcommands, the same options, system calls and memory
 * accesses as the C source that ran on real kernels.
 * @spec 11 §9
 */
import type { Program, ProgramData, ProgramView } from '../../engine/task'
import { runSteps, stdout, type Step, type StepData } from '../steps'
import { cowChildren, cowSteps, createCow } from './cow'
import { createStream, readSteps, writeSteps } from './files'
import { createFrag, fragSteps } from './frag'
import { createHog, hogSteps } from './hog'
import { commonSteps, createData, holdSteps, roundMs, type MmData } from './options'
import { createPipes, pipesSteps } from './pipes'
import { createNuma, numaSteps } from './numa'
import { createRegion, faultSteps, mallocSteps, mapfileSteps } from './regions'
import { createFiles, filesSteps } from './tree'
import { createSample, sampleSteps } from './sample'

interface Subcommand {
  /** Options of its own; `any` words when it reads them itself. */
  readonly keys: readonly string[] | 'any'
  readonly create: (args: readonly string[]) => ProgramData | undefined
  readonly steps: readonly Step<never>[]
}

const sub = <D extends StepData>(
  keys: string,
  create: (args: readonly string[]) => D | ProgramData | undefined,
  steps: readonly Step<D>[],
): Subcommand => ({
  keys: keys === 'any' ? 'any' : [...keys.split(' '), ...COMMON_KEYS].filter((key) => key !== ''),
  create: create as Subcommand['create'],
  steps: steps as unknown as readonly Step<never>[],
})

/** What every subcommand does first and last. */
const COMMON_KEYS = ['oomadj', 'cg', 'name', 'cpu', 'hold', 'until']

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  fault: sub('mb mode thp align', createRegion, faultSteps),
  malloc: sub('mb', createRegion, mallocSteps),
  cow: sub('mb thp', createCow, cowSteps),
  mapfile: sub('file mb mode private advice', createRegion as never, mapfileSteps),
  read: sub('file mb bs rate passes go', (args) => createStream(args, 0), readSteps),
  write: sub('file mb bs rate passes go sync', (args) => createStream(args, 16), writeSteps),
  files: sub('dir n op rate passes', createFiles, filesSteps),
  hog: sub('mb rate report retouch thp lock log rand loops go', createHog, hogSteps),
  frag: sub('mb keep dir', createFrag as never, fragSteps),
  pipes: sub('n keep dir', createPipes as never, pipesSteps),
  numa: sub('mb thp how policy nodes moveto', createNuma, numaSteps),
  sample: sub('any', createSample as never, sampleSteps),
  ms: sub('', createData, [(_d, view) => stdout(`${roundMs(view.nowNs)}\n`)] as readonly Step<MmData>[]),
  sleep: sub('', createData, [...commonSteps, ...holdSteps]),
}

const USAGE = `mm ${Object.keys(SUBCOMMANDS).join('|')} k=v...\n`

/** The first word that a subcommand does not know, with what it knows; '' when there is none. */
function refusal(name: string, keys: readonly string[], args: readonly string[]): string {
  const wrong = args.find((arg) => !keys.includes(arg.slice(0, Math.max(0, arg.indexOf('=')))))
  if (wrong === undefined) return ''
  const known = `mm ${name} takes ${keys.map((key) => `${key}=`).join(' ')}\n`
  return wrong === '--help' ? known : `mm ${name}: '${wrong}' is not understood\n${known}`
}

export const mm: Program = {
  name: 'mm',
  image: { path: '/bin/mm', totalVm: 329, textPages: 172, anonPages: 15 },
  start(argv) {
    const name = argv[1] ?? ''
    const command = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined
    if (command !== undefined && command.keys !== 'any') {
      const usage = refusal(name, command.keys, argv.slice(2))
      if (usage !== '') return { ok: false, usage, status: argv.includes('--help') ? 0 : 2 }
    }
    const data = command?.create(argv.slice(2))
    if (data === undefined) return { ok: false, usage: USAGE, status: 2 }
    data['command'] = name
    return { ok: true, data }
  },
  next(data: ProgramData, view: ProgramView) {
    const part = data['part']
    const steps = typeof part === 'string' ? cowChildren[part]! : SUBCOMMANDS[String(data['command'])]!.steps
    return runSteps(steps as readonly Step<StepData>[], data as StepData, view)
  },
}
