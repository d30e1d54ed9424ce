/** Runs a case's own script in the simulated machine, as harness/init did on the captured one, and collects /out. */
import type { Engine } from '../../engine/engine_api'
import type { KernelState } from '../../engine/state'
import { createHeadless } from '../../host/headless'
import { programs, realEngine } from '../../host/real-engine'
import { toConfig } from '../../profiles'
import { NS_PER_S } from '../../util/units'
import type { Harness, TruthCase } from './cases'
import type { CaseFiles } from './figure'

export interface CaseRun {
  /** Files under /out. */
  readonly files: CaseFiles
  /** '' when the script ran to its end. */
  readonly fault: string
  readonly simulatedNs: number
}

const SEED = 1
const LIMIT_NS = 900 * NS_PER_S

/**
 * What harness/init does around a scenario, in its order. The simulated machine comes up with its pseudo file systems
 * mounted, and with the drivers of its disks; of modules only zram is loaded, and only where the scenario asks for it. The
 * tar stream at the end is collected from outside.
 */
const INIT = `export PATH=/bin
[ -z "$zram" ] || modprobe zram
mkdir -p /out /data /tmp
. /fn.sh
dmesg > /out/dmesg-boot.txt
. /scn/$scn.sh > /out/scenario.log 2>&1
cd /
[ "$scn" = static ] || dmesg > /out/dmesg-end.txt
`

export async function runCase(truth: TruthCase, harness: Harness): Promise<CaseRun> {
  const engine = realEngine()
  const headless = createHeadless(toConfig(truth.profile), SEED, { engine, programs })
  const place = (path: string, text: string): void => {
    const made = engine.command(headless.state(), { kind: 'write', pid: 1, path, text, create: true, append: false })
    if (!made.ok) throw new Error(`${path}: ${made.error.errno} ${made.error.explanation}`)
  }
  engine.command(headless.state(), { kind: 'mkdir', pid: 1, path: '/scn', parents: true })
  place('/fn.sh', harness.functions)
  place(`/scn/${truth.traits.scenario}.sh`, harness.scenario)
  let errors = ''
  const result = await headless.runScript(INIT, {
    asInit: true,
    script: '/init',
    name: 'sh',
    env: { HOME: '/', TERM: 'linux', scn: truth.traits.scenario, ...truth.traits.parameters },
    untilNs: LIMIT_NS,
    onStderr: (text) => (errors += text),
  })
  const stopped = {
    '': '',
    panic: `the machine panicked: ${headless.state().panicked}`,
    timeout: 'the script did not end',
  }
  const fault = stopped[result.stopped] || errors.trim().split('\n')[0]!
  return { files: collect(engine, headless.state(), '/out'), fault, simulatedNs: headless.state().nowNs }
}

/** Every file below a folder of the simulated machine, read from outside. */
function collect(engine: Engine, state: KernelState, root: string): Record<string, string> {
  const files: Record<string, string> = {}
  const walk = (path: string): void => {
    const names = engine.listDir(state, path)
    if (!names.ok) return
    for (const name of names.value) {
      const child = `${path}/${name}`
      const stat = engine.statFile(state, child, 1)
      if (!stat.ok) continue
      if (stat.value.kind === 'dir') walk(child)
      else {
        const text = engine.readFile(state, child)
        if (text.ok) files[child.slice(root.length + 1)] = text.value
      }
    }
  }
  walk(root)
  return files
}
