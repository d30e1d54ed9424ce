/**
 * Compose files → containers of Docker. Of a service only what concerns memory, restarting and what runs is looked at.
 * @spec 7.9
 */
import { MIB } from '../../../util/units'
import { dockerBytes } from './quantity'
import type { ComposeSpec, ContainerSpec, Restart } from './types'
import { dig, field, listOf, mapOf, refuse, textOf, wholeOf, type Tree } from './yaml-tree'

/** Docker refuses less: a container could not even start. */
const LIMIT_MIN = 6 * MIB

export const isCompose = (document: Tree): boolean => field(document, 'services') !== undefined

/** The containers of every service, one a replica. */
export function composeOf(document: Tree, notes: string[]): readonly ComposeSpec[] {
  const services = field(document, 'services')!
  const specs: ComposeSpec[] = []
  const project = field(document, 'name')
  for (const [name, service] of mapOf(services)) {
    if (service.fields === undefined) refuse(service, 'value', `Service ${name} is empty.`, 'Add image or build.')
    const spec = serviceOf(name, service, notes)
    const replicasAt = dig(service, 'deploy', 'replicas') ?? field(service, 'scale')
    const replicas = replicasAt === undefined ? 1 : wholeOf(replicasAt, 0, 110)
    const ownName = field(service, 'container_name')
    for (let i = 1; i <= replicas; i++) {
      const title =
        ownName === undefined ? `${project === undefined ? '' : `${textOf(project)}-`}${name}-${i}` : textOf(ownName)
      specs.push({ ...spec, container: { ...spec.container, name: title } })
    }
  }
  return specs
}

function serviceOf(name: string, at: Tree, notes: string[]): ComposeSpec {
  if (!/^[a-zA-Z0-9][\w.-]*$/.test(name))
    refuse(at, 'name', `'${name}' is no name of a service.`, 'Use letters and digits.')
  const killDisable = field(at, 'oom_kill_disable')
  if (killDisable !== undefined && killDisable.scalar !== false)
    refuse(
      killDisable,
      'oom-kill-disable',
      'cgroup v2 cannot switch the OOM killer off; Docker ignores this and the container is killed all the same.',
      'Remove the line; use oom_score_adj to be spared by the machine-wide killer.',
    )
  for (const ignored of ['mem_swappiness', 'kernel_memory'])
    if (field(at, ignored) !== undefined) notes.push(`${name}: ${ignored} does nothing on cgroup v2.`)
  const limitAt = pick(at, 'mem_limit', 'limits')
  const limitBytes = limitAt && dockerBytes(limitAt)
  if (limitBytes !== undefined && limitBytes !== 0 && limitBytes < LIMIT_MIN)
    refuse(limitAt!, 'limit', `${limitAt!.source} is less than Docker's minimum.`, 'Use 6m or more.')
  const reservationAt = pick(at, 'mem_reservation', 'reservations')
  const requestBytes = reservationAt && dockerBytes(reservationAt)
  if (limitBytes && requestBytes !== undefined && requestBytes > limitBytes)
    refuse(reservationAt!, 'request', 'The reservation is above the limit.', 'Reserve at most the limit.')
  const adjAt = field(at, 'oom_score_adj')
  const workload = workloadOf(at)
  const container: ContainerSpec = {
    name,
    role: 'app',
    image: field(at, 'image') === undefined ? '' : textOf(field(at, 'image')!),
    argv: [...wordsOf(field(at, 'entrypoint')), ...wordsOf(field(at, 'command'))],
    env: envOf(field(at, 'environment')),
    resources: { requestBytes, limitBytes: limitBytes || undefined, cpuRequest: undefined, cpuLimit: undefined },
    workload,
  }
  return {
    container,
    ...restartOf(at),
    swapTotal: swapOf(at, limitBytes),
    oomScoreAdj: adjAt === undefined ? 0 : wholeOf(adjAt, -1000, 1000),
  }
}

/** The short field, or the one below deploy.resources; both must agree. */
function pick(at: Tree, short: string, side: 'limits' | 'reservations'): Tree | undefined {
  const own = field(at, short)
  const deployed = dig(at, 'deploy', 'resources', side, 'memory')
  if (own !== undefined && deployed !== undefined && dockerBytes(own) !== dockerBytes(deployed))
    refuse(own, 'twice', `${short} and deploy.resources.${side}.memory differ.`, 'Keep one of them.')
  return own ?? deployed
}

/** memswap_limit is memory and swap together; −1 is no limit. */
function swapOf(at: Tree, limitBytes: number | undefined): number | undefined {
  const swapAt = field(at, 'memswap_limit')
  if (swapAt === undefined) return undefined
  if (String(swapAt.scalar) === '-1') return -1
  const total = dockerBytes(swapAt)
  if (total === 0) return undefined
  if (!limitBytes) return refuse(swapAt, 'swap', 'memswap_limit needs mem_limit.', 'Add mem_limit.')
  if (total >= limitBytes) return total
  return refuse(swapAt, 'swap', 'memswap_limit counts memory too and is below mem_limit.', 'Use mem_limit or more.')
}

const POLICIES: Readonly<Record<string, Restart>> = {
  no: 'Never',
  false: 'Never',
  none: 'Never',
  always: 'Always',
  any: 'Always',
  'unless-stopped': 'Always',
  'on-failure': 'OnFailure',
}

function restartOf(at: Tree): { restart: Restart; retriesMax: number } {
  const own = field(at, 'restart') ?? dig(at, 'deploy', 'restart_policy', 'condition')
  if (own === undefined) return { restart: 'Never', retriesMax: 0 }
  const [policy = '', retries] = textOf(own).split(':')
  const restart = Object.hasOwn(POLICIES, policy) ? POLICIES[policy] : undefined
  if (restart === undefined || (retries !== undefined && (policy !== 'on-failure' || !/^\d{1,6}$/.test(retries))))
    return refuse(
      own,
      'restart',
      `'${textOf(own)}' is no restart policy.`,
      'Use no, always, unless-stopped, on-failure or on-failure:3.',
    )
  const attempts = dig(at, 'deploy', 'restart_policy', 'max_attempts')
  return { restart, retriesMax: Number(retries ?? (attempts === undefined ? 0 : wholeOf(attempts, 0, 1e6))) }
}

function workloadOf(at: Tree): string | undefined {
  const labels = field(at, 'labels')
  const prefix = 'pagewalk.workload='
  const item = labels?.items?.map(textOf).find((text) => text.startsWith(prefix))
  if (item !== undefined) return item.slice(prefix.length)
  const found = field(labels, 'pagewalk.workload')
  return found === undefined ? undefined : textOf(found)
}

const wordsOf = (at: Tree | undefined): readonly string[] =>
  at === undefined ? [] : at.items === undefined ? textOf(at).split(/\s+/).filter(Boolean) : listOf(at).map(textOf)

function envOf(at: Tree | undefined): Record<string, string> {
  if (at === undefined) return {}
  if (at.items === undefined)
    return Object.fromEntries(
      [...mapOf(at)].map(([name, value]) => [name, value.scalar === undefined ? '' : textOf(value)]),
    )
  return Object.fromEntries(at.items.map((item) => textOf(item).split(/=(.*)/s, 2) as [string, string]))
}
