import { expect, test } from 'vitest'
import { GIB, MIB } from '../../../util/units'
import { editLimit, importPods, KUBELET_DEFAULTS, limitTargets } from './index'

const NODE = { capacityBytes: 4 * GIB, swapBytes: GIB }

function edited(text: string, limitMib: number, workload?: string): string {
  const targets = limitTargets(text, 'a.yaml')
  if (!targets.ok) throw new Error(targets.error.message)
  const edit = { limitBytes: limitMib * MIB, ...(workload === undefined ? {} : { workload }) }
  const result = editLimit(text, 'a.yaml', targets.value[0]!, edit)
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}

/** Values written to the first container's group, and what runs in it. */
function made(text: string): Record<string, string> {
  const plan = importPods(text, 'a.yaml', NODE, KUBELET_DEFAULTS)
  if (!plan.ok) throw new Error(plan.error.message)
  const group = plan.value.groups.find((one) => one.role === 'container')!
  const files = Object.fromEntries(group.files.map((file) => [file.file, file.text]))
  return { ...files, runs: plan.value.pods[0]!.containers[0]!.argv.join(' '), qos: plan.value.pods[0]!.qos }
}

const pod = (resources: string, more = ''): string =>
  `kind: Pod # mine\nmetadata: {name: a}\nspec:\n  containers:\n  - name: app   # the one\n    command: [leak]\n${resources}${more}`

test('an amount that stands in the text is replaced there, and nothing else moves', () => {
  const text = pod('    resources: {limits: {memory: "64Mi"}, requests: {memory: 32Mi}}\n')
  expect(edited(text, 128)).toBe(text.replace('"64Mi"', '128Mi'))
})

test('a Guaranteed pod stays one, and a request comes down with the limit', () => {
  const guaranteed = pod('    resources: {limits: {memory: 64Mi, cpu: 1}, requests: {memory: 64Mi, cpu: 1}}\n')
  expect(made(edited(guaranteed, 96))).toMatchObject({ 'memory.max': String(96 * MIB), qos: 'Guaranteed' })
  const burstable = pod('    resources: {limits: {memory: 64Mi}, requests: {memory: 48Mi}}\n')
  expect(edited(burstable, 40)).toContain('requests: {memory: 40Mi}')
  expect(edited(burstable, 56)).toContain('requests: {memory: 48Mi}')
})

test.each([
  ['there is none', pod('')],
  ['only a request', pod('    resources: {requests: {memory: 16Mi}}\n')],
  [
    'it is an alias',
    pod('    resources: *r\n').replace('# mine', '\nx-r: &r {limits: {memory: 64Mi}, requests: {memory: 16Mi}}'),
  ],
  ['a merge key brings it', pod('    <<: *r\n').replace('# mine', '\nx-r: &r {resources: {limits: {memory: 64Mi}}}')],
  [
    'a Deployment has it',
    'kind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: app}]}}}\n',
  ],
  [
    'a List has it',
    'kind: List\nitems:\n- kind: Service\n  metadata: {name: s}\n- kind: Pod\n  metadata: {name: a}\n  spec: {containers: [{name: app}]}\n',
  ],
  ['it is in the second document', `kind: ConfigMap\nmetadata: {name: c}\n---\n${pod('')}`],
])('a limit is set where %s', (_, text) => {
  const after = edited(text, 128, 'leak --rate=1M')
  expect(made(after)).toMatchObject({ 'memory.max': String(128 * MIB), runs: 'leak --rate=1M' })
  expect(made(edited(after, 96))).toMatchObject({ 'memory.max': String(96 * MIB), runs: 'leak --rate=1M' })
})

test('comments stay when the document has to be written anew', () => {
  expect(edited(pod(''), 128)).toMatch(/# mine[^]*# the one/)
})

test('compose: the short field, the long one or none; swap beside it stays what it was', () => {
  expect(made(edited('services:\n  a: {command: leak, mem_limit: 64m, memswap_limit: 96m}\n', 128))).toMatchObject({
    'memory.max': String(128 * MIB),
    'memory.swap.max': String(32 * MIB),
  })
  const deployed = 'services:\n  a:\n    command: leak\n    deploy: {resources: {limits: {memory: 64m}}}\n'
  expect(edited(deployed, 128)).toBe(deployed.replace('64m', '128m'))
  expect(edited('services:\n  a: {command: leak}\n', 128)).toContain('mem_limit: 128m')
  const labels = 'services:\n  a: {image: x, labels: ["pagewalk.workload=leak --rate=0"]}\n'
  expect(made(edited(labels, 128, 'batch'))).toMatchObject({ runs: 'batch' })
})

test('targets are named as the plan names what comes of them', () => {
  const text = `kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: 2, template: {spec: {initContainers: [{name: i}], containers: [{name: a}, {name: b}]}}}
`
  const targets = limitTargets(text, 'a.yaml')
  const plan = importPods(text, 'a.yaml', NODE, KUBELET_DEFAULTS)
  if (!targets.ok || !plan.ok) throw new Error('refused')
  expect(targets.value.map((t) => [t.planned, t.container])).toEqual([
    ['shop_web-0', 'a'],
    ['shop_web-0', 'b'],
  ])
  expect(plan.value.pods.map((p) => p.name)).toEqual(['shop_web-0', 'shop_web-1'])
})
