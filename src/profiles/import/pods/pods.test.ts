import { describe, expect, test } from 'vitest'
import { GIB, MIB } from '../../../util/units'
import { importPods, KUBELET_DEFAULTS, planSteps, stepLine, type KubeletOptions, type Plan } from '.'
import { quantity } from './quantity'

const NODE = { capacityBytes: 8 * GIB, swapBytes: 0 }

function plan(text: string, options: Partial<KubeletOptions> = {}, node = NODE): Plan {
  const made = importPods(text, 'pod.yaml', node, { ...KUBELET_DEFAULTS, ...options })
  if (!made.ok) throw new Error(`${made.error.where}: ${made.error.message}`)
  return made.value
}
const refusal = (text: string) => {
  const made = importPods(text, 'pod.yaml', NODE, KUBELET_DEFAULTS)
  return made.ok ? undefined : made.error
}
/** A pod of one container with these resources. */
const pod = (resources: string, more = ''): string =>
  `kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: app\n    image: stress\n    command: [stress]\n    resources: ${resources}\n${more}`
const container = (made: Plan, name = 'app') => made.pods[0]!.containers.find((c) => c.name === name)!
const files = (made: Plan, name = 'app') =>
  Object.fromEntries(made.groups.find((g) => g.name === name)!.files.map((f) => [f.file, f.text]))

test.each([
  ['128974848', 128974848],
  ['129e6', 129e6],
  ['129M', 129e6],
  ['123Mi', 128974848],
  ['0.1Gi', 107374183],
  ['400m', 1],
  ['1.5Gi', 1610612736],
  ['.5Mi', 524288],
  ['1E', 1e18],
  ['1e3', 1000],
  ['1K', undefined],
  ['1gb', undefined],
  ['', undefined],
  ['e3', undefined],
])('quantity %s is %s bytes', (text, bytes) => expect(quantity(text, 1)).toBe(bytes))

// Spec 7.10 E8.
test.each([
  ['256Mi', 969],
  ['4Gi', 500],
  ['1000', 999],
  ['8Gi', 3],
])('a request of %s on a node of 8 GiB has oom_score_adj %i', (memory, adj) => {
  expect(container(plan(pod(`{requests: {memory: "${memory}"}}`))).oomScoreAdj).toBe(adj)
})

test.each([
  ['{}', 'BestEffort', 1000],
  ['{limits: {memory: 1Gi}}', 'Burstable', 875],
  ['{limits: {memory: 1Gi, cpu: 1}}', 'Guaranteed', -997],
  ['{limits: {memory: 1Gi, cpu: 1}, requests: {cpu: 500m}}', 'Burstable', 875],
  ['{requests: {cpu: 100m}}', 'Burstable', 999],
  ['{limits: {memory: 0}}', 'BestEffort', 1000],
])('resources %s are %s', (resources, qos, adj) => {
  const made = plan(pod(resources))
  expect(made.pods[0]!.qos).toBe(qos)
  expect(container(made).oomScoreAdj).toBe(adj)
  const slice = qos === 'Guaranteed' ? '' : `/kubepods-${qos.toLowerCase()}.slice`
  expect(made.pods[0]!.cgroup).toContain(`kubepods.slice${slice}/kubepods-`)
})

// Spec 7.10 E8.
test.each([
  ['1Gi', '2Gi', '2040107008'],
  ['512Mi', '1Gi', '1020051456'],
  ['1Gi', '1Gi', undefined],
])('MemoryQoS of 1.27: request %s, limit %s, memory.high %s', (request, limit, high) => {
  const made = plan(pod(`{requests: {memory: ${request}}, limits: {memory: ${limit}}}`), { memoryQos: '1.27' })
  expect(files(made)['memory.high']).toBe(high)
  expect(files(made)['memory.min']).toBe(String(quantity(request, 1)))
})

test('the tiered policy protects a burstable pod by memory.low; without the gate nothing is written', () => {
  const text = pod('{requests: {memory: 1Gi}, limits: {memory: 2Gi}}')
  expect(files(plan(text, { memoryQos: 'tiered' }))).toMatchObject({ 'memory.low': '1073741824' })
  expect(files(plan(text))).toEqual({ 'memory.max': '2147483648', 'memory.oom.group': '1' })
  expect(files(plan(text, { singleProcessOomKill: true }))).toEqual({ 'memory.max': '2147483648' })
})

test('LimitedSwap gives a share of the swap by request, NoSwap none', () => {
  const text = pod('{requests: {memory: 1Gi}, limits: {memory: 2Gi}}')
  const node = { capacityBytes: 8 * GIB, swapBytes: 4 * GIB }
  expect(files(plan(text, { swap: 'limited' }, node))['memory.swap.max']).toBe(String(512 * MIB))
  expect(files(plan(text, {}, node))['memory.swap.max']).toBe('0')
})

test('a pod has a limit when every container has one; init containers count while they run', () => {
  const init = (memory: string): string =>
    `  initContainers:\n  - {name: i, resources: {limits: {memory: ${memory}}}}\n`
  const one = '{limits: {memory: 1Gi}}'
  expect(files(plan(pod(one)), 'p')['memory.max']).toBe(String(GIB))
  expect(files(plan(pod(one, init('3Gi'))), 'p')['memory.max']).toBe(String(3 * GIB))
  expect(files(plan(pod(one, '  initContainers:\n  - {name: i}\n')), 'p')['memory.max']).toBeUndefined()
})

test('a sidecar is spared as the containers that it serves', () => {
  const made = plan(pod('{requests: {memory: 4Gi}}', '  initContainers:\n  - {name: s, restartPolicy: Always}\n'))
  expect(container(made, 's')).toMatchObject({ role: 'sidecar', oomScoreAdj: 500, restart: 'Always' })
})

test('the kinds that make pods from a template, and several documents', () => {
  const template = 'template: {spec: {containers: [{name: c, image: redis}]}}'
  const made = plan(
    `kind: Deployment\nmetadata: {name: d}\nspec: {replicas: 2, ${template}}\n---\nkind: Service\nmetadata: {name: s}\n---\n` +
      `kind: CronJob\nmetadata: {name: j}\nspec: {jobTemplate: {spec: {${template}}}}`,
  )
  expect(made.pods.map((p) => [p.name, p.containers[0]!.restart])).toEqual([
    ['d-0', 'Always'],
    ['d-1', 'Always'],
    ['j-0', 'OnFailure'],
  ])
  expect(made.notes.join(' ')).toContain('Service s has no memory of its own')
})

test('compose: limits, reservation, swap, score and restart become what Docker writes', () => {
  const made = plan(
    `services:\n  web:\n    image: nginx\n    mem_limit: 64m\n    memswap_limit: 96m\n    restart: on-failure:3\n    oom_score_adj: 200\n    deploy: {resources: {reservations: {memory: 32m}}}\n`,
    {},
    { capacityBytes: GIB, swapBytes: GIB },
  )
  expect(files(made, 'web-1')).toEqual({
    'memory.low': String(32 * MIB),
    'memory.max': String(64 * MIB),
    'memory.swap.max': String(32 * MIB),
  })
  expect(container(made, 'web-1')).toMatchObject({ restart: 'OnFailure', retriesMax: 3, oomScoreAdj: 200 })
})

test('every step is a shell line: groups before their files, the shim last', () => {
  const lines = planSteps(plan(pod('{limits: {memory: 1Gi}}'))).map(stepLine)
  expect(lines[0]).toBe('echo +memory > /sys/fs/cgroup/cgroup.subtree_control')
  expect(lines.at(-1)).toBe('containerd-shim /var/lib/kubelet/pods/p/pod.json &')
  const max = lines.findIndex((line) => line.startsWith('echo 1073741824 >') && line.includes('.scope/'))
  expect(lines.findIndex((line) => line.startsWith('mkdir') && line.endsWith('.scope'))).toBeLessThan(max)
})

test('what runs: an annotation, a program of the machine, Java with its heap, else a model by the image', () => {
  const argv = (rest: string): readonly string[] =>
    container(
      plan(
        `kind: Pod\nmetadata: {name: p, annotations: {pagewalk.dev/workload.x: "leak --rate=1M"}}\nspec: {containers: [${rest}]}`,
      ),
      '',
    )?.argv ??
    plan(
      `kind: Pod\nmetadata: {name: p, annotations: {pagewalk.dev/workload.x: "leak --rate=1M"}}\nspec: {containers: [${rest}]}`,
    ).pods[0]!.containers[0]!.argv
  expect(argv('{name: x, image: nginx}')).toEqual(['leak', '--rate=1M'])
  expect(argv('{name: y, command: [stress], args: ["--vm", "1"]}')).toEqual(['stress', '--vm', '1'])
  expect(argv('{name: y, command: [java, -Xmx256m, -jar, app.jar]}')).toEqual(['java', '-Xmx256m'])
  expect(argv('{name: y, image: "openjdk:17", env: [{name: JAVA_TOOL_OPTIONS, value: "-Xmx1g -Dx=y"}]}')).toEqual([
    'java',
    '-Xmx1g',
  ])
  expect(argv('{name: y, image: "docker.io/library/postgres:16"}')[0]).toBe('postgres')
})

describe('what cannot be taken is refused with its place and how to mend it', () => {
  test.each([
    ['a: [1, 2\nb: 3', 'import/yaml', 'line 2'],
    ['', 'import/empty', 'pod.yaml'],
    ['just text', 'import/not-a-pod', 'line 1'],
    ['kind: Gateway\nmetadata: {name: x}', 'import/not-a-pod', 'line 1, kind'],
    ['a: 1\na: 2', 'import/twice', 'line 2, a'],
    ['a: &a [*a]', 'import/recursive', 'line 1, a[0]'],
    ['a: *nowhere', 'import/alias', 'line 1, a'],
    [pod('{limits: {memory: 1GB}}'), 'import/quantity', 'spec.containers[0].resources.limits.memory'],
    [pod('{limits: {memory: -1}}'), 'import/quantity', 'limits.memory'],
    [pod('{limits: {memory: 1Gi}, requests: {memory: 2Gi}}'), 'import/request', 'requests.memory'],
    ['kind: Pod\nmetadata: {name: p}\nspec: {containers: []}', 'import/no-containers', 'spec'],
    ['kind: Pod\nspec: {}', 'import/no-name', 'line 1'],
    ['services: {a: {image: x, oom_kill_disable: true}}', 'import/oom-kill-disable', 'services.a.oom_kill_disable'],
    ['services: {a: {image: x, mem_limit: 1m}}', 'import/limit', 'mem_limit'],
    ['services: {a: {image: x, mem_limit: "${M}"}}', 'import/variable', 'mem_limit'],
    ['services: {a: {image: x, restart: sometimes}}', 'import/restart', 'restart'],
    [`kind: Deployment\nmetadata: {name: d}\nspec: {replicas: 200}`, 'import/value', 'spec.replicas'],
  ])('%j', (text, code, where) => {
    const error = refusal(text.includes('replicas: 200') ? text.replace('200', '200, template: {spec: {}}') : text)
    expect(error?.code).toBe(code)
    expect(error?.where).toContain(where)
    expect(error?.fix).not.toBe('')
  })

  test.each([
    ['brackets', '['.repeat(100_000)],
    ['dashes', '- '.repeat(100_000)],
    ['maps', Array.from({ length: 500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['size', `a: ${'x'.repeat(300_000)}`],
    [
      'aliases',
      [
        'a: &a [x,x,x,x,x,x,x,x,x]',
        ...'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]`),
      ].join('\n'),
    ],
  ])('too much of it: %s', (_, text) => expect(refusal(text)?.code).toBe('import/too-big'))
})
