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
  readonly create: (args: readonly string[]) => ProgramData | undefined
  readonly steps: readonly Step<never>[]
}

const sub = <D extends StepData>(
  create: (args: readonly string[]) => D | ProgramData | undefined,
  steps: readonly Step<D>[],
): Subcommand => ({
  create: create as Subcommand['create'],
  steps: steps as unknown as readonly Step<never>[],
})

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  fault: sub(createRegion, faultSteps),
  malloc: sub(createRegion, mallocSteps),
  cow: sub(createCow, cowSteps),
  mapfile: sub(createRegion as never, mapfileSteps),
  read: sub((args) => createStream(args, 0), readSteps),
  write: sub((args) => createStream(args, 16), writeSteps),
  files: sub(createFiles, filesSteps),
  hog: sub(createHog, hogSteps),
  frag: sub(createFrag as never, fragSteps),
  pipes: sub(createPipes as never, pipesSteps),
  numa: sub(createNuma, numaSteps),
  sample: sub(createSample as never, sampleSteps),
  ms: sub(createData, [(_d, view) => stdout(`${roundMs(view.nowNs)}\n`)] as readonly Step<MmData>[]),
  sleep: sub(createData, [...commonSteps, ...holdSteps]),
}

const USAGE = `mm ${Object.keys(SUBCOMMANDS).join('|')} k=v...\n`

export const mm: Program = {
  name: 'mm',
  image: { path: '/bin/mm', totalVm: 329, textPages: 172, anonPages: 15 },
  start(argv) {
    const name = argv[1] ?? ''
    const command = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined
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
