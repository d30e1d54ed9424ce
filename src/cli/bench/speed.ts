/** Simulated time against the processor's: whole scenarios of bench/scenarios, as scripts in a machine. */
import { readFileSync } from 'node:fs'
import { createHeadless, type Headless } from '../../host/headless'
import { keepCheckpoint, RECORD_ALL } from '../../host/machine'
import { programs, realEngine } from '../../host/real-engine'
import { loadScenario, toConfig, type Scenario } from '../../profiles'
import { recorderBytes } from '../../recorder/recorder'
import { formatUserError } from '../../util/result'
import type { Figure } from './figure'
import { benchFile, benchMachine } from './machine'
import { cpuSeconds } from './measure'

/** A scenario that is slower than hoped is not run to its end. */
const CPU_SECONDS_MAX = 8
const STEP_NS = 50_000_000
/** As the session does it: a copy when a replay would take longer than this, and never more than a tenth of the time. */
const REPLAY_S = 0.1

function scenarioOf(name: string): Scenario {
  const path = benchFile(`scenarios/${name}.json`)
  const scenario = loadScenario(readFileSync(path, 'utf8'), path)
  if (!scenario.ok) throw new Error(formatUserError(scenario.error))
  return scenario.value
}

interface Speed {
  readonly simulatedSeconds: number
  readonly cpuSeconds: number
  readonly headless: Headless
}

/** @param warmUp  lines of the script that run before the clock starts */
async function run(scenario: Scenario, isRecorded: boolean, warmUp: number): Promise<Speed> {
  const config = typeof scenario.machine === 'string' ? benchMachine(scenario.machine) : toConfig(scenario.machine)
  const headless = createHeadless(config, scenario.seed, {
    engine: realEngine(),
    programs,
    ...(isRecorded ? { record: RECORD_ALL } : {}),
  })
  if (warmUp > 0) await headless.runScript(scenario.script.split('\n').slice(0, warmUp).join('\n'))
  const startNs = headless.state().nowNs
  const began = cpuSeconds()
  const shell = headless.openShell({ out: () => {} })
  let isOver = false
  void shell.run(scenario.script.split('\n').slice(warmUp).join('\n')).then(() => (isOver = true))
  let copied = { atSeconds: cpuSeconds(), took: 0 }
  while (!isOver && headless.state().nowNs - startNs < scenario.untilNs && cpuSeconds() - began < CPU_SECONDS_MAX) {
    await headless.advanceTo(headless.state().nowNs + STEP_NS)
    const now = cpuSeconds()
    if (!isRecorded || now - copied.atSeconds < Math.max(REPLAY_S, 10 * copied.took)) continue
    keepCheckpoint(headless.machine)
    copied = { atSeconds: cpuSeconds(), took: cpuSeconds() - now }
  }
  return { simulatedSeconds: (headless.state().nowNs - startNs) / 1e9, cpuSeconds: cpuSeconds() - began, headless }
}

async function speedFigure(name: string, aim: number, isRecorded = false, warmUp = 0): Promise<Figure> {
  const scenario = scenarioOf(name)
  const { simulatedSeconds, cpuSeconds: cpu, headless } = await run(scenario, isRecorded, warmUp)
  const { recorder, rewind } = headless.machine
  const kept =
    recorder === undefined
      ? ''
      : `; recorded: ${(recorderBytes(recorder) / 2 ** 20).toFixed(1)} MiB of samples, ${recorder.events.total} events, ` +
        `${rewind.stops.length} copies of together ${(rewind.bytes / 2 ** 20).toFixed(0)} MiB`
  return {
    id: `speed-${name}${isRecorded ? '-recorded' : ''}`,
    title: `${scenario.title}${isRecorded ? ', recorded' : ''}`,
    value: simulatedSeconds / cpu,
    unit: 'simulated s per CPU s',
    aim: { kind: 'value', at: aim },
    note: `${simulatedSeconds.toFixed(2)} s in ${cpu.toFixed(2)} s of CPU time, ${headless.state().eventCount} events${kept}`,
  }
}

export const stress = async (): Promise<Figure[]> => [await speedFigure('stress', 1)]
export const stressRecorded = async (): Promise<Figure[]> => [await speedFigure('stress', 1, true)]
export const idle = async (): Promise<Figure[]> => [await speedFigure('idle', 10)]
/** Memory is full before the clock starts: 54 GiB that nobody uses and a cache over the rest, which a writer renews. */
export const pressure = async (): Promise<Figure[]> => [await speedFigure('pressure', 10, false, 3)]
export const containers = async (): Promise<Figure[]> => [await speedFigure('containers', 1)]
