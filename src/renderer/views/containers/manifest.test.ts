import { expect, test } from 'vitest'
import { importPods, KUBELET_DEFAULTS, type Plan } from '../../../profiles'
import { GIB } from '../../../util/units'
import { applyLine, isCompose, machinePath, planRows, refusedLine, SAMPLES } from './manifest'

const NODE = { capacityBytes: 2 * GIB, swapBytes: 0 }
const planOf = (text: string, file = 'x.yaml'): Plan => {
  const plan = importPods(text, file, NODE, KUBELET_DEFAULTS)
  if (!plan.ok) throw new Error(plan.error.message)
  return plan.value
}

test.each([
  ['web.yaml', '/root/web.yaml'],
  ['my pod (2).yml', '/root/my-pod-2-.yml'],
  ['C:\\k8s\\web.YAML', '/root/web.YAML'],
  ['../../etc/passwd', '/root/passwd.yaml'],
  ['', '/root/manifest.yaml'],
])('a file called %j is %s in the machine', (name, path) => {
  expect(machinePath(name)).toBe(path)
})

test('the line that applies it has the options of the kubelet, and none that are usual', () => {
  expect(applyLine('/root/a.yaml', KUBELET_DEFAULTS, false)).toBe('kubectl apply -f /root/a.yaml')
  const options = { memoryQos: 'tiered', swap: 'limited', singleProcessOomKill: true } as const
  expect(applyLine('/root/a.yaml', options, false)).toBe(
    'kubectl apply -f /root/a.yaml --memory-qos=tiered --swap=limited --single-process-oom-kill',
  )
  expect(applyLine('/root/c.yaml', options, true)).toBe('docker compose -f /root/c.yaml up -d')
})

test('every sample is a manifest, and compose is told from Kubernetes', () => {
  expect(SAMPLES.map(({ text, fileName }) => isCompose(planOf(text, fileName)))).toEqual([false, false, true])
})

test('a plan is shown as its tree: classes, amounts, and what runs', () => {
  const rows = planRows(planOf(SAMPLES[1]!.text))
  expect(rows.filter((row) => row.role === 'pod').map((row) => [row.name, row.qos, row.depth])).toEqual([
    ['guaranteed', 'Guaranteed', 1],
    ['burstable', 'Burstable', 2],
    ['besteffort', 'BestEffort', 2],
  ])
  const container = rows.find((row) => row.role === 'container')!
  expect(container.values).toContain('memory.max 64 MiB')
  expect(container.runs).toBe('leak --base=40M --rate=0, oom_score_adj -997')
})

test('a refusal names a line of the text', () => {
  const plan = importPods('kind: Pod\nmetadata: {name: a}\nspec: {}\n', 'a.yaml', NODE, KUBELET_DEFAULTS)
  expect(plan.ok ? 0 : refusedLine(plan.error.where)).toBe(3)
  expect(refusedLine('a.yaml')).toBeUndefined()
})
