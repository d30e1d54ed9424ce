/**
 * /sys/kernel/debug/pagewalk/touch: an access in a process's name. Reading it shows the latest ones and what came of them.
 */
import type { Errno } from '../../util/errno'
import { touchByHand, type TouchRecord } from '../by_hand_touch'
import { klog } from '../klog'
import { parseWords } from '../mm/by_hand_words'
import type { KernelState } from '../state'
import type { TouchMode } from '../task'
import type { PseudoFile } from './types'

const isMode = (word: string): word is TouchMode => word === 'read' || word === 'write' || word === 'exec'

function refuse(state: KernelState, why: string): Errno {
  klog(state, `pagewalk/touch: ${why}`)
  return 'EINVAL'
}

/** 'pid=312 address=0x7f12… access=read|write|exec' */
function write(state: KernelState, text: string): Errno | undefined {
  const words = parseWords(`touch ${text.trim()}`, ['pid', 'address', 'access'])
  if (typeof words === 'string') return refuse(state, words)
  const { pid = '', address = '', access = 'read' } = words.values
  if (words.operands.length > 0) return refuse(state, `'${words.operands[0]}' is not understood`)
  if (!/^\d+$/.test(pid)) return refuse(state, `pid='${pid}' is no process number`)
  if (!/^(0x[0-9a-f]{1,16}|\d+)$/i.test(address) || Number(address) >= 2 ** 64)
    return refuse(state, `address='${address}' is no address of 64 bits, such as 0x7ffff7a00000`)
  if (!isMode(access)) return refuse(state, `access='${access}' is none of read, write, exec`)
  return touchByHand(state, { pid: Number(pid), address: Number(address), access })
}

const signed = (n: number): string => (n > 0 ? `+${n}` : String(n))

function recordText(record: TouchRecord): string {
  const { id, pid, address, access, outcome, pfn, tables, rss, costNs, siginfo, predicted } = record
  const [file = 0, anon = 0, shmem = 0, swap = 0] = rss
  const signal = siginfo === undefined ? '' : ` signo=${siginfo.signo} code=${siginfo.code} error=${siginfo.error}`
  const head =
    `${id} pid=${pid} address=0x${address.toString(16)} access=${access} outcome=${outcome}${signal} pfn=${pfn} ` +
    `tables=${signed(tables)} anon=${signed(anon)} file=${signed(file)} shmem=${signed(shmem)} swap=${signed(swap)} ` +
    `cost_ns=${Math.round(costNs)} predicted=${predicted.outcome}\n`
  return head + predicted.decisions.map(({ by, text }) => `  ${by}: ${text}\n`).join('')
}

export const touchFile: PseudoFile = {
  read: ({ handTouch }) =>
    [...handTouch.done, ...handTouch.waiting.map(({ record }) => record)]
      .sort((a, b) => a.id - b.id)
      .map(recordText)
      .join(''),
  write,
}
