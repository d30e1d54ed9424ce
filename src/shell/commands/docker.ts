/** docker: the services of a compose file as containers of this machine. Images are not pulled: models stand for them. */
import type { Tool, ToolContext } from '../process'
import { readText } from './nodes'
import { warn } from './options'
import { ageText, carryOut, knownPods, planOf, table, takeDown, type KnownPod } from './pods'

const FOLDER = '/var/lib/docker/containers'
const USAGE = 'docker compose [-f FILE] up -d | down\n       docker ps [-a] | inspect NAME | logs NAME | rm -f NAME'

export const docker: Tool = {
  name: 'docker',
  summary: 'runs the services of a compose file in this machine',
  usage: USAGE,
  async run(context) {
    const [verb = '', ...rest] = context.args
    if (verb === 'compose') return compose(context, rest)
    if (verb === 'ps') return ps(context, rest.includes('-a') || rest.includes('--all'))
    const name = rest.find((word) => !word.startsWith('-'))
    if (name !== undefined && (verb === 'inspect' || verb === 'logs' || verb === 'rm')) {
      const known = knownPods(context, FOLDER).find((k) => k.pod.name === name)
      if (known === undefined) return warn(context, `Error: No such container: ${name}`)
      if (verb === 'inspect') return inspect(context, known)
      if (verb === 'rm') return rm(context, known, rest.includes('-f'))
      await context.print(readText(context, `${known.pod.folder}/log`))
      return 0
    }
    await context.warn(`Usage: ${USAGE}\n`)
    return 1
  },
}

async function compose(context: ToolContext, words: readonly string[]): Promise<number> {
  const at = words.indexOf('-f')
  const file = at >= 0 ? (words[at + 1] ?? '') : 'compose.yaml'
  const verbs = words.filter((_, i) => at < 0 || (i !== at && i !== at + 1))
  if (verbs[0] !== 'up' && verbs[0] !== 'down') {
    await context.warn(`Usage: ${USAGE}\n`)
    return 1
  }
  const plan = await planOf(context, file)
  if (plan === undefined) return 1
  if (plan.pods.some((pod) => pod.runtime !== 'docker'))
    return warn(context, `${file} is a Kubernetes manifest: kubectl apply -f ${file}`)
  const known = knownPods(context, FOLDER).filter((k) => plan.pods.some((pod) => pod.name === k.pod.name))
  if (verbs[0] === 'down') {
    for (const other of known) {
      await takeDown(context, other)
      await context.warn(` Container ${other.pod.name}  Removed\n`)
    }
    return 0
  }
  if (!verbs.includes('-d') && !verbs.includes('--detach'))
    return warn(context, 'containers run by themselves here: use docker compose up -d')
  const running = known.find((k) => k.stopped === '')
  if (running !== undefined)
    return warn(context, `container ${running.pod.name} exists already: docker compose -f ${file} down first`)
  if (!(await carryOut(context, plan))) return 1
  for (const note of plan.notes) context.world.explain(note)
  for (const pod of plan.pods) await context.warn(` Container ${pod.name}  Started\n`)
  return 0
}

/** 'Up 5s', 'Restarting (137) 2s ago', 'Exited (0) 1m ago'. */
function statusText(context: ToolContext, known: KnownPod): string {
  const state = known.containers[0]?.state
  if (state === undefined) return 'Created'
  const now = context.sys.now()
  if (state.state === 'Running') return `Up ${ageText(now - state.startedNs)}`
  const word = state.state === 'Waiting' && state.exitCode >= 0 ? 'Restarting' : 'Exited'
  return `${word} (${state.exitCode}) ${ageText(now - state.finishedNs)} ago`
}

async function ps(context: ToolContext, isAll: boolean): Promise<number> {
  const known = knownPods(context, FOLDER).filter((k) => isAll || k.containers[0]?.state?.state !== 'Terminated')
  const rows = known.map((k) => [
    k.pod.cgroup.replace(/^.*docker-(\w+)\.scope$/, '$1'),
    k.containers[0]!.spec.argv.join(' ').slice(0, 32),
    statusText(context, k),
    k.pod.name,
  ])
  await context.print(table([['CONTAINER ID', 'COMMAND', 'STATUS', 'NAMES'], ...rows]))
  return 0
}

/** The parts of the document that concern memory and restarts. */
async function inspect(context: ToolContext, known: KnownPod): Promise<number> {
  const { spec, state } = known.containers[0]!
  const read = (file: string): number => {
    const text = readText(context, `/sys/fs/cgroup/${spec.cgroup}/${file}`).trim()
    return text === 'max' || text === '' ? 0 : Number(text)
  }
  const memory = read('memory.max')
  const document = {
    Name: `/${known.pod.name}`,
    RestartCount: state?.restarts ?? 0,
    State: {
      Status: state?.state === 'Running' ? 'running' : state?.state === 'Waiting' ? 'restarting' : 'exited',
      OOMKilled: state?.lastReason === 'OOMKilled',
      Pid: state?.pid ?? 0,
      ExitCode: Math.max(0, state?.exitCode ?? 0),
    },
    HostConfig: {
      Memory: memory,
      MemoryReservation: read('memory.low'),
      MemorySwap: memory === 0 ? 0 : memory + read('memory.swap.max'),
      OomScoreAdj: spec.oomScoreAdj,
      RestartPolicy: {
        Name: { Always: 'always', OnFailure: 'on-failure', Never: 'no' }[spec.restart],
        MaximumRetryCount: spec.retriesMax,
      },
    },
  }
  await context.print(`${JSON.stringify([document], undefined, 4)}\n`)
  return 0
}

async function rm(context: ToolContext, known: KnownPod, isForced: boolean): Promise<number> {
  if (!isForced && known.containers[0]?.state?.state === 'Running')
    return warn(context, `Error: container ${known.pod.name} is running: stop it first or use rm -f`)
  await takeDown(context, known)
  await context.print(`${known.pod.name}\n`)
  return 0
}
