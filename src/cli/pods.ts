/** A Kubernetes manifest or compose file on the command line: the plan for a node, as a shell script or as JSON. */
import {
  importPods,
  KUBELET_DEFAULTS,
  nodeFactsOf,
  planSteps,
  stepLine,
  type KubeletOptions,
  type NodeFacts,
  type Plan,
} from '../profiles'
import { ok, userError, type Result } from '../util/result'
import type { Parsed } from './args'
import { readText, writeText } from './folder'
import { bootProfile } from './headless'
import { resolveMachine } from './machines'
import type { Output } from './output'

export const POD_OPTIONS = {
  '--machine': { takes: 'one' },
  '--memory-qos': { takes: 'one' },
  '--swap': { takes: 'one' },
} as const

export const isManifest = (path: string): boolean => /\.ya?ml$/i.test(path)

const QOS = ['off', '1.22', '1.27', '1.36', 'tiered'] as const
const SWAP = ['no', 'limited'] as const

export function kubeletOptions(parsed: Parsed, command: string): Result<KubeletOptions> {
  const qos = parsed.values['--memory-qos']?.[0] ?? 'off'
  const swap = parsed.values['--swap']?.[0] ?? 'no'
  const memoryQos = QOS.find((value) => value === qos)
  const swapBehaviour = SWAP.find((value) => value === swap)
  const refuse = (option: string, seen: string, known: readonly string[]): Result<never> =>
    userError('cli/value', `pagewalk ${command}: ${option}`, `'${seen}' is not known.`, `Known: ${known.join(', ')}.`)
  if (memoryQos === undefined) return refuse('--memory-qos', qos, QOS)
  if (swapBehaviour === undefined) return refuse('--swap', swap, SWAP)
  return ok({ ...KUBELET_DEFAULTS, memoryQos, swap: swapBehaviour })
}

/** What a booted machine of that profile tells its kubelet. */
export function factsOf(machine: string): Result<NodeFacts> {
  const profile = resolveMachine(machine)
  if (!profile.ok) return profile
  const meminfo = bootProfile(profile.value, 1).readFile('/proc/meminfo')
  return ok(nodeFactsOf(meminfo.ok ? meminfo.value : ''))
}

export function planOf(path: string, machine: string, options: KubeletOptions): Result<Plan> {
  const text = readText(path, 'manifest')
  if (!text.ok) return text
  const facts = factsOf(machine)
  return facts.ok ? importPods(text.value, path, facts.value, options) : facts
}

export function importManifest(path: string, parsed: Parsed, output: Output): Result<number> {
  const options = kubeletOptions(parsed, 'import')
  if (!options.ok) return options
  const plan = planOf(path, parsed.values['--machine']?.[0] ?? 'k8s-node-8g', options.value)
  if (!plan.ok) return plan
  const text = parsed.flags.has('--json')
    ? `${JSON.stringify({ format: 'pagewalk-pods', version: 1, ...plan.value }, undefined, 2)}\n`
    : planSteps(plan.value)
        .map((step) => `${stepLine(step)}\n`)
        .join('')
  const target = parsed.values['-o']?.[0]
  if (target === undefined) output.out(text)
  else {
    const written = writeText(target, text)
    if (!written.ok) return written
  }
  for (const pod of plan.value.pods)
    output.err(
      `${pod.name}: ${pod.qos === '' ? 'Docker' : pod.qos}, ${pod.containers
        .map((c) => `${c.name} adj ${c.oomScoreAdj} runs '${c.argv.join(' ')}'`)
        .join('; ')}\n`,
    )
  for (const note of plan.value.notes) output.err(`note: ${note}\n`)
  return ok(0)
}
