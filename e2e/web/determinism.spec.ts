/** The contract of the whole project, across two JavaScript hosts: the built engine in Node and in Chromium's worker. */
import { readdirSync } from 'node:fs'
import type { ReplyEnvelope, Request } from '../../src/protocol/messages'
import { MessageChannelMain } from '../harness/ports.mjs'
import { UtilityProcess } from '../harness/utility.mjs'
import { expect, test } from './fixtures'

const run = (profile: string, line: string): readonly Request[] => [
  { kind: 'boot', profile, seed: 7 },
  { kind: 'step', by: { ns: 1_000_000 } },
  { kind: 'exec', line },
  { kind: 'step', by: { ns: 1_500_000_000 } },
  { kind: 'readFile', path: '/proc/vmstat' },
  { kind: 'readFile', path: '/proc/zoneinfo' },
  { kind: 'checkInvariants' },
  { kind: 'saveSession' },
]

/** Answers of the engine's process, as the desktop starts it. */
async function answersOfNode(requests: readonly Request[]): Promise<unknown[]> {
  const engine = new UtilityProcess('out/main/engine.js', [], {})
  const { port1, port2 } = new MessageChannelMain()
  engine.postMessage({ kind: 'connect' }, [port1])
  const answers: unknown[] = []
  const all = new Promise<void>((done) => {
    port2.on('message', ({ data }) => {
      if ('id' in (data as object)) answers.push((data as ReplyEnvelope).result)
      if (answers.length === requests.length) done()
    })
  })
  port2.start()
  for (const [id, request] of requests.entries()) port2.postMessage({ id, request })
  await all
  engine.kill()
  return answers
}

/** Runs in the page: a second worker beside the page's own. */
const answersOfWorker = ({ url, requests }: { url: string; requests: readonly Request[] }): Promise<unknown[]> =>
  new Promise((done) => {
    const worker = new Worker(url, { type: 'module' })
    const answers: unknown[] = []
    worker.onmessage = ({ data }) => {
      if ('id' in data) answers.push(data.result)
      if (answers.length < requests.length) return
      worker.terminate()
      done(answers)
    }
    for (const [id, request] of requests.entries()) worker.postMessage({ id, request })
  })

const RUNS = {
  'vm-512m': 'stress --vm 2 --vm-bytes 300M --timeout 1s',
  'numa-2x4g':
    'mkdir /sys/fs/cgroup/a; echo 200M > /sys/fs/cgroup/a/memory.max; stress --vm 2 --vm-bytes 1G --timeout 1s',
  'classic-1g': 'stress --vm 2 --vm-bytes 600M --timeout 1s',
}

for (const [profile, line] of Object.entries(RUNS)) {
  test(`${profile}: the same commands give the same bits in Node and in Chromium`, async ({ open }) => {
    const requests = run(profile, line)
    const page = await open()
    const asset = readdirSync('out/web/assets').find((name) => /^web-worker-.*\.js$/.test(name))
    const inChromium = await page.evaluate(answersOfWorker, { url: `assets/${asset}`, requests })
    const inNode = await answersOfNode(requests)
    expect(inNode.filter((result) => !(result as { ok: boolean }).ok)).toEqual([])
    expect(inChromium.slice(4)).toEqual(inNode.slice(4))
    expect(inNode[6]).toEqual({ ok: true, value: [] })
  })
}
