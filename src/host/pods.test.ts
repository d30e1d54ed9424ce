/** Pods and compose services in a whole machine: what a person sees of them at the shell. */
import { describe, expect, test } from 'vitest'
import { checkInvariants } from '../engine/check'
import { readFileSync } from 'node:fs'
import { loadMachine, toConfig } from '../profiles'
import { digestTree } from '../util/hash'
import { createHeadless } from './headless'
import { programs, realEngine } from './real-engine'

function boot(name = 'vm-512m') {
  const profile = loadMachine(readFileSync(`resources/machines/${name}.json`, 'utf8'), name)
  if (!profile.ok) throw new Error(profile.error.message)
  return createHeadless(toConfig(profile.value), 7, { engine: realEngine(), programs })
}

async function run(script: string, name?: string) {
  const machine = boot(name)
  let out = ''
  const add = (text: string): void => void (out += text)
  const { status } = await machine.runScript(script, { onStdout: add, onStderr: add })
  return { out, status, machine }
}

const POD = `cat > /root/p.yaml <<'Y'
kind: Pod
metadata: {name: hog}
spec:
  containers:
  - {name: app, command: [stress], args: ["--vm", "1", "--vm-bytes", "80M", "--vm-hang", "1"], resources: {limits: {memory: 40Mi}}}
Y
kubectl apply -f /root/p.yaml
`

describe('a pod above its limit', () => {
  test('is killed as a group, comes back, and backs off', async () => {
    const { out, machine } = await run(`${POD}sleep 15\nkubectl get pods\nkubectl describe pod hog\ndmesg | tail -5\n`)
    expect(out).toContain('pod/hog created\n')
    expect(out).toMatch(/hog +0\/1 +CrashLoopBackOff +2 /)
    expect(out).toMatch(/Reason: +OOMKilled\n +Exit Code: +137/)
    expect(out).toContain('are going to be killed due to memory.oom.group set')
    expect(checkInvariants(machine.state())).toEqual([])
  })

  test('goes without a trace, and the same script gives the same bits', async () => {
    const script = `${POD}sleep 2\nkubectl delete pod hog\nkubectl get pods\nps -e | grep -c containerd-shim\nls -d /sys/fs/cgroup/kubepods.slice/*/*pod*`
    const first = await run(script)
    expect(first.out).toContain('pod "hog" deleted\nNo resources found.\n0\n')
    expect(first.out).toContain('No such file or directory')
    const second = await run(script)
    expect(digestTree(second.machine.state())).toBe(digestTree(first.machine.state()))
  })
})

test('init containers run to their end before the others', async () => {
  const { out } = await run(`cat > /root/p.yaml <<'Y'
kind: Pod
metadata: {name: two, annotations: {pagewalk.dev/workload.first: "batch --size=5M --ramp=0 --for=3"}}
spec:
  initContainers: [{name: first}]
  containers: [{name: app, command: [leak], args: ["--rate=0"]}]
Y
kubectl apply -f /root/p.yaml; sleep 1; kubectl get pods | tail -1; sleep 5; kubectl get pods | tail -1`)
  expect(out).toMatch(/two +0\/1 +Pending[^]*two +1\/1 +Running/)
})

test('a compose service comes back as often as it may; Docker kills one process, not the container', async () => {
  const { out } = await run(`cat > /root/c.yaml <<'Y'
services:
  hog: {command: stress --vm 1 --vm-bytes 80M --vm-hang 1, mem_limit: 40m, memswap_limit: 40m, restart: "on-failure:3"}
Y
docker compose -f /root/c.yaml up -d; sleep 5; docker ps -a | tail -1; docker inspect hog-1 | grep -E 'RestartCount|OOMKilled|ExitCode'
docker compose -f /root/c.yaml down; docker ps -a | tail -n +2`)
  expect(out).toMatch(/Exited \(1\) [34]s ago +hog-1\n/)
  expect(out).toMatch(/"RestartCount": 3,\n +"OOMKilled": true,\n/)
  expect(out).toMatch(/hog-1 {2}Removed\n$/)
})

test('the kubelet evicts whoever is above its request before the kernel has to kill', async () => {
  const { out } = await run(
    `cat > /root/p.yaml <<'Y'
kind: Pod
metadata: {name: modest}
spec: {containers: [{name: app, command: [leak], args: ["--base=20M", "--rate=0"], resources: {requests: {memory: 50Mi}}}]}
---
kind: Pod
metadata: {name: greedy}
spec: {containers: [{name: app, command: [leak], args: ["--base=20M", "--rate=8M"], resources: {requests: {memory: 50Mi}}}]}
Y
kubectl apply -f /root/p.yaml; sleep 60; kubectl get pods; cat /var/log/kubelet.log; dmesg | grep -c 'Out of memory'`,
    'vm-512m-noswap',
  )
  expect(out).toMatch(/greedy +0\/1 +Evicted/)
  expect(out).toMatch(/modest +1\/1 +Running +0 /)
  expect(out).toMatch(
    /eviction manager: memory.available \d+Mi is below 100Mi: evicting greedy, which uses \d+Mi and requested 50Mi\n0\n/,
  )
})

test('what is no pod is refused by name and changes nothing', async () => {
  const { out, status } = await run(
    `echo 'kind: Gateway' > /root/g.yaml; kubectl apply -f /root/g.yaml; s=$?; ls -d /sys/fs/cgroup/kubepods.slice; exit $s`,
  )
  expect(out).toContain('error: /root/g.yaml: line 1, kind: A Gateway makes no pods.')
  expect(out).toContain("cannot access '/sys/fs/cgroup/kubepods.slice'")
  expect(status).toBe(1)
})
