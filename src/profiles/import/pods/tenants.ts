/**
 * What stands for a container's code. The simulator cannot run images, so a container runs one of its models: the one that
 * an annotation names, the container's own command when it is a program of this machine, or one by the name of its image.
 */
import type { ContainerSpec } from './types'

/** Programs that a container may name itself: those that a shim can start without a shell. */
const PROGRAMS = new Set([
  'java',
  'postgres',
  'redis-server',
  'node',
  'batch',
  'leak',
  'replay',
  'stress',
  'mm',
  'python3',
])

const BY_IMAGE: readonly (readonly [RegExp, string])[] = [
  [/redis|valkey|keydb|memcached|dragonfly/, 'redis-server'],
  [/postgres|mysql|mariadb|mongo|percona|cockroach|timescale|mssql/, 'postgres'],
  [
    /java|jdk|jre|temurin|corretto|tomcat|jetty|spring|elasticsearch|opensearch|kafka|cassandra|zookeeper|jenkins|solr|wildfly|keycloak/,
    'java',
  ],
  [/job|batch|migrat|backup|spark|etl|busybox|alpine|bash/, 'batch'],
]

/** Words of a line; quotes keep spaces together. */
export const splitWords = (line: string): string[] =>
  (line.match(/"[^"]*"|'[^']*'|[^\s"']+/g) ?? []).map((word) => word.replace(/^(["'])(.*)\1$/s, '$2'))

/** argv, and a sentence when it had to be assumed. */
export function tenantOf(container: ContainerSpec): { argv: readonly string[]; note: string } {
  const told = container.workload === undefined ? [] : splitWords(container.workload)
  if (told.length > 0) return { argv: told, note: '' }
  const base = container.argv[0]?.split('/').pop() ?? ''
  const heap = heapOf(container)
  if (base === 'java') return { argv: ['java', ...heap], note: '' }
  if (PROGRAMS.has(base)) return { argv: [base, ...container.argv.slice(1)], note: '' }
  const image = container.image.toLowerCase().split('/').pop()!.split('@')[0]!
  const program = BY_IMAGE.find(([pattern]) => pattern.test(image))?.[1] ?? 'node'
  const argv = program === 'java' ? ['java', ...heap] : [program]
  const what = container.image === '' ? 'it names no image' : `image ${container.image}`
  return {
    argv,
    note: `${container.name}: ${what}; '${argv.join(' ')}' stands for it. The annotation pagewalk.dev/workload.${container.name} (compose: label pagewalk.workload) says otherwise.`,
  }
}

/** Sizes that the manifest gives the virtual machine, on its command line or by JAVA_TOOL_OPTIONS and its like. */
function heapOf(container: ContainerSpec): string[] {
  const env = ['JAVA_TOOL_OPTIONS', 'JAVA_OPTS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS', 'ES_JAVA_OPTS'].flatMap((name) =>
    splitWords(container.env[name] ?? ''),
  )
  return [...container.argv, ...env].filter((word) =>
    /^-X(?:mx|ms|ss)\d|^-XX:Max(?:RAMPercentage|MetaspaceSize)=/.test(word),
  )
}
