/** kubectl: pods come to this one node, are looked at, and go. The kubelet's part is done by the same command. */
import { formatSize, type KubeletOptions } from '../../profiles'
import type { Tool, ToolContext } from '../process'
import { readText } from './nodes'
import { warn } from './options'
import { ageText, carryOut, knownPods, planOf, start, table, takeDown, type KnownPod } from './pods'

const FOLDER = '/var/lib/kubelet/pods'
const LIST = '/var/lib/kubelet/pods.list'
const USAGE =
  'kubectl apply -f FILE [--memory-qos=off|1.22|1.27|1.36|tiered] [--swap=no|limited] [--single-process-oom-kill]\n' +
  '       kubectl get pods | describe pod NAME | logs NAME | delete pod NAME | delete -f FILE'

export const kubectl: Tool = {
  name: 'kubectl',
  summary: 'brings Kubernetes pods to this machine, shows them, takes them away',
  usage: USAGE,
  async run(context) {
    const [verb = '', ...rest] = context.args
    if (verb === 'apply' || verb === 'create') return apply(context, rest)
    if (verb === 'delete') return remove(context, rest)
    const [first = '', second] = rest
    const [kind, slashed] = first.split('/')
    const isPods = /^(?:pods?|po)$/.test(kind ?? '')
    if (verb === 'get' && isPods) return get(context)
    if (verb === 'describe' && isPods) return describe(context, slashed ?? second)
    if (verb === 'logs') return logs(context, slashed ?? first)
    await context.warn(`Usage: ${USAGE}\n`)
    return 1
  },
}

const QOS = ['off', '1.22', '1.27', '1.36', 'tiered'] as const

/** Options of the kubelet that would stand in its configuration file; undefined: one is not understood. */
function kubeletOptions(words: readonly string[]): { options: KubeletOptions; file: string } | undefined {
  let file = ''
  let options: KubeletOptions = { memoryQos: 'off', swap: 'no', singleProcessOomKill: false }
  for (let i = 0; i < words.length; i++) {
    const [name = '', inline] = words[i]!.split(/=(.*)/s, 2)
    if (name === '-f' || name === '--filename') file = inline ?? words[++i] ?? ''
    else if (name === '--single-process-oom-kill') options = { ...options, singleProcessOomKill: true }
    else if (name === '--memory-qos') {
      const memoryQos = QOS.find((value) => value === (inline ?? words[i + 1]))
      if (memoryQos === undefined) return undefined
      if (inline === undefined) i++
      options = { ...options, memoryQos }
    } else if (name === '--swap' && (inline === 'no' || inline === 'limited')) options = { ...options, swap: inline }
    else return undefined
  }
  return file === '' ? undefined : { options, file }
}

async function apply(context: ToolContext, words: readonly string[]): Promise<number> {
  const asked = kubeletOptions(words)
  if (asked === undefined) {
    await context.warn(`Usage: ${USAGE}\n`)
    return 1
  }
  const plan = await planOf(context, asked.file, asked.options)
  if (plan === undefined) return 1
  if (plan.pods.some((pod) => pod.runtime !== 'kubelet'))
    return warn(context, `${asked.file} is a compose file: docker compose -f ${asked.file} up -d`)
  const known = knownPods(context, FOLDER)
  for (const pod of plan.pods) {
    if (known.some((other) => other.pod.name === pod.name && other.stopped === ''))
      return warn(context, `error: pods "${pod.name}" already exists: kubectl delete pod ${pod.name} first`)
  }
  for (const other of known.filter((k) => k.stopped !== '' && plan.pods.some((pod) => pod.name === k.pod.name)))
    await takeDown(context, other)
  if (!(await carryOut(context, plan))) return 1
  for (const note of plan.notes) context.world.explain(note)
  for (const pod of plan.pods) await context.print(`pod/${pod.name} created\n`)
  return startKubelet(context)
}

/** One for the machine, whoever brings the first pod. */
async function startKubelet(context: ToolContext): Promise<number> {
  const pids = readText(context, '/sys/fs/cgroup/system.slice/kubelet.service/cgroup.procs').trim()
  if (pids !== '') return 0
  context.sys.command({ kind: 'mkdir', pid: context.pid, path: '/var/log', parents: true })
  const refused = start(context, ['kubelet'], '/var/log/kubelet.log')
  return refused === '' ? 0 : warn(context, refused)
}

/** What the STATUS column says: the first container that has something to say. */
function statusOf(known: KnownPod): string {
  if (known.stopped !== '') return known.stopped
  const said = known.containers.filter((c) => c.spec.role !== 'init')
  const waiting = said.find((c) => c.state?.state === 'Waiting' && c.state.reason !== '')
  if (waiting !== undefined) return waiting.state!.reason
  if (said.some((c) => c.state === undefined)) {
    const failed = known.containers.find((c) => c.spec.role === 'init' && c.state?.reason && c.state.exitCode !== 0)
    return failed === undefined ? 'Pending' : `Init:${failed.state!.reason}`
  }
  if (said.some((c) => c.state!.state === 'Running')) return 'Running'
  return said.find((c) => c.state!.reason !== 'Completed')?.state?.reason ?? 'Completed'
}

async function get(context: ToolContext): Promise<number> {
  const known = knownPods(context, FOLDER)
  if (known.length === 0) {
    await context.warn('No resources found.\n')
    return 0
  }
  const now = context.sys.now()
  const rows = known.map((k) => {
    const counted = k.containers.filter((c) => c.spec.role !== 'init')
    const ready = counted.filter((c) => c.state?.state === 'Running').length
    const restarts = k.containers.reduce((sum, c) => sum + (c.state?.restarts ?? 0), 0)
    const last = Math.max(-1, ...k.containers.map((c) => (c.state?.restarts ? c.state.finishedNs : -1)))
    const started = Math.min(...k.containers.map((c) => c.state?.startedNs ?? now))
    return [
      k.pod.name,
      `${ready}/${counted.length}`,
      statusOf(k),
      restarts === 0 ? '0' : `${restarts} (${ageText(now - last)} ago)`,
      k.pod.qos,
      ageText(now - started),
    ]
  })
  await context.print(table([['NAME', 'READY', 'STATUS', 'RESTARTS', 'QOS', 'SINCE'], ...rows]))
  return 0
}

async function find(context: ToolContext, name: string | undefined): Promise<KnownPod | undefined> {
  const known = knownPods(context, FOLDER).find((k) => k.pod.name === name)
  if (known === undefined) await context.warn(`Error from server (NotFound): pods "${name ?? ''}" not found\n`)
  return known
}

async function describe(context: ToolContext, name: string | undefined): Promise<number> {
  const known = await find(context, name)
  if (known === undefined) return 1
  const lines = [
    `Name:         ${known.pod.name}`,
    `Status:       ${statusOf(known)}`,
    `QoS Class:    ${known.pod.qos}`,
    `Requests:     ${formatSize(known.pod.requestBytes)}`,
    `Cgroup:       /${known.pod.cgroup}`,
    'Containers:',
  ]
  for (const { spec, state } of known.containers) {
    const read = (file: string): string => readText(context, `/sys/fs/cgroup/${spec.cgroup}/${file}`).trim()
    lines.push(`  ${spec.name}${spec.role === 'app' ? '' : ` (${spec.role})`}:`)
    lines.push(`    Command:        ${spec.argv.join(' ')}`)
    lines.push(`    Cgroup:         ${spec.cgroup.split('/').at(-1)}`)
    lines.push(`    oom_score_adj:  ${spec.oomScoreAdj}`)
    lines.push(
      `    memory:         current ${read('memory.current')}, high ${read('memory.high')}, max ${read('memory.max')}`,
    )
    if (state === undefined) continue
    lines.push(`    State:          ${state.state}${state.reason === '' ? '' : ` (${state.reason})`}`)
    if (state.exitCode >= 0) {
      lines.push(`    Last State:     Terminated`)
      lines.push(`      Reason:       ${state.lastReason}`)
      lines.push(`      Exit Code:    ${state.exitCode}`)
      lines.push(`      Started:      ${(state.startedNs / 1e9).toFixed(3)} s`)
      lines.push(`      Finished:     ${(state.finishedNs / 1e9).toFixed(3)} s`)
    }
    lines.push(`    Restart Count:  ${state.restarts}`)
  }
  await context.print(`${lines.join('\n')}\n`)
  return 0
}

async function logs(context: ToolContext, name: string): Promise<number> {
  const known = await find(context, name)
  if (known === undefined) return 1
  await context.print(readText(context, `${known.pod.folder}/log`))
  return 0
}

async function remove(context: ToolContext, words: readonly string[]): Promise<number> {
  const [first = '', ...rest] = words
  let names: readonly string[] = rest
  if (first === '-f' || first.startsWith('--filename')) {
    const plan = await planOf(context, rest[0] ?? first.split('=')[1] ?? '')
    if (plan === undefined) return 1
    names = plan.pods.map((pod) => pod.name)
  } else if (first.includes('/')) names = [first.split('/')[1]!, ...rest]
  if (names.length === 0) {
    await context.warn(`Usage: ${USAGE}\n`)
    return 1
  }
  let status = 0
  for (const name of names) {
    const known = await find(context, name)
    if (known === undefined || !(await takeDown(context, known))) {
      status = 1
      continue
    }
    const left = readText(context, LIST)
      .split('\n')
      .filter((line) => line !== '' && line !== known.pod.folder)
    context.sys.write(context.pid, LIST, left.map((line) => `${line}\n`).join(''), { create: true, append: false })
    await context.print(`pod "${name}" deleted\n`)
  }
  return status
}
