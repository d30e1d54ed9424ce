/**
 * The stack dump inside a memory report. Frames are those that the captured Debian kernels printed on the same path;
 * where no capture shows a path, only the part that is common to all paths is printed.
 * @kernel      lib/dump_stack.c, arch/x86/kernel/dumpstack.c
 * @spec        06 §6.5
 * @simplifies  no register block (RIP, Code, RSP …): our programs have no instructions to show
 */
import type { KernelSeries } from '../config'
import { currentTask } from '../exec'
import type { KernelState } from '../state'
import { taintedText, taintedVerbose } from '../taint'

/** Who asks: the OOM killer in its ways, a failed allocation, a WARN(), or a frame in a bad state. */
export type StackSite =
  'oom' | 'oomAllocatingTask' | 'memcgOom' | 'oomPanic' | 'warnAlloc' | 'warnVmalloc' | 'warn' | 'badPage'
/** What the task was doing. */
export type StackPath = 'anonFault' | 'cowFault' | 'other'

interface SeriesFrames {
  readonly site: Readonly<Record<StackSite, readonly string[]>>
  /** Below a page allocation. */
  readonly alloc: Readonly<Record<StackPath, readonly string[]>>
  /** Below a memcg charge. */
  readonly charge: Readonly<Record<StackPath, readonly string[]>>
}

const FAULT_6_12 = [
  'handle_mm_fault+0x180/0x2d0',
  'do_user_addr_fault+0x20c/0x670',
  'exc_page_fault+0x76/0x190',
  'asm_exc_page_fault+0x26/0x30',
]
const ALLOC_6_12 = [
  '__alloc_pages_noprof+0x2ef/0x310',
  'alloc_pages_mpol_noprof+0x8f/0x1e0',
  'folio_alloc_mpol_noprof+0x14/0x30',
  'vma_alloc_folio_noprof+0x6b/0xc0',
]
const OOM_6_12 = ['dump_stack_lvl+0x64/0x80', 'dump_header+0x43/0x1d0', 'oom_kill_process+0xfa/0x200']
const SLOWPATH_6_12 = '__alloc_pages_slowpath.constprop.0+0x67f/0xe00'

const FAULT_6_1 = [
  'handle_mm_fault+0xdb/0x2d0',
  'do_user_addr_fault+0x191/0x560',
  'exc_page_fault+0x70/0x170',
  'asm_exc_page_fault+0x22/0x30',
]
const OOM_6_1 = [
  'dump_stack_lvl+0x44/0x5c',
  'dump_header+0x4c/0x22b',
  'oom_kill_process.cold+0xb/0x10',
  'out_of_memory+0x1fd/0x4c0',
]

const FRAMES: Readonly<Record<KernelSeries, SeriesFrames>> = {
  '6.12': {
    site: {
      oom: [...OOM_6_12, 'out_of_memory+0x257/0x520', SLOWPATH_6_12],
      oomAllocatingTask: [...OOM_6_12, 'out_of_memory+0x4f1/0x520', SLOWPATH_6_12],
      memcgOom: [...OOM_6_12, 'out_of_memory+0x257/0x520', 'mem_cgroup_out_of_memory+0x12a/0x140'],
      oomPanic: OOM_6_12.slice(0, 2),
      warnAlloc: [
        'dump_stack_lvl+0x64/0x80',
        'warn_alloc+0x164/0x1e0',
        '__alloc_pages_slowpath.constprop.0+0x2ac/0xe00',
      ],
      warnVmalloc: ['dump_stack_lvl+0x64/0x80', 'warn_alloc+0x164/0x1e0'],
      warn: [],
      badPage: OOM_6_12.slice(0, 1),
    },
    alloc: {
      anonFault: [
        ...ALLOC_6_12,
        'do_anonymous_page+0x2bd/0x7e0',
        '? __pte_offset_map+0x1b/0x180',
        '__handle_mm_fault+0xb52/0xf90',
        ...FAULT_6_12,
      ],
      cowFault: [...ALLOC_6_12, 'do_wp_page+0x287/0xc90', '__handle_mm_fault+0xaf8/0xf90', ...FAULT_6_12],
      other: [],
    },
    charge: {
      anonFault: [
        'try_charge_memcg+0x491/0x620',
        '__mem_cgroup_charge+0x42/0xd0',
        'do_anonymous_page+0x2db/0x7e0',
        '? __pte_offset_map+0x1b/0x180',
        '__handle_mm_fault+0xb52/0xf90',
        ...FAULT_6_12,
      ],
      cowFault: [],
      other: [],
    },
  },
  '6.1': {
    site: {
      oom: [...OOM_6_1, '__alloc_pages_slowpath.constprop.0+0x67f/0xe70'],
      oomAllocatingTask: OOM_6_1.slice(0, 3),
      memcgOom: [...OOM_6_1, 'mem_cgroup_out_of_memory+0x134/0x150'],
      oomPanic: OOM_6_1.slice(0, 2),
      warnAlloc: OOM_6_1.slice(0, 1),
      warnVmalloc: OOM_6_1.slice(0, 1),
      warn: [],
      badPage: OOM_6_1.slice(0, 1),
    },
    alloc: {
      anonFault: [
        '__alloc_pages+0x305/0x330',
        '__folio_alloc+0x17/0x50',
        '? policy_node+0x51/0x70',
        'vma_alloc_folio+0x9c/0x370',
        '__handle_mm_fault+0x92f/0xfa0',
        ...FAULT_6_1,
      ],
      cowFault: [],
      other: [],
    },
    charge: {
      anonFault: [
        'try_charge_memcg+0x696/0x780',
        'charge_memcg+0x39/0xf0',
        '__mem_cgroup_charge+0x28/0x80',
        '__handle_mm_fault+0x95c/0xfa0',
        ...FAULT_6_1,
      ],
      cowFault: [],
      other: [],
    },
  },
}

/** Sites whose callers below are known too: the others stop where the captures stop. */
function framesOf(series: KernelSeries, site: StackSite, path: StackPath): readonly string[] {
  const frames = FRAMES[series]
  const head = frames.site[site]
  if (site === 'memcgOom') return [...head, ...frames.charge[path]]
  const isComplete = head.some((frame) => frame.startsWith('__alloc_pages_slowpath'))
  return isComplete ? [...head, ...frames.alloc[path]] : head
}

/**
 * '#1 SMP PREEMPT_DYNAMIC Debian 6.12.95-1~bpo12+1 (2026-07-05)' → '#1  Debian 6.12.95-1~bpo12+1'; other versions stay
 * as their first word.
 * @kernel  dump_stack_print_info(), Debian's patch "kernelvariables"
 */
function shortVersion(version: string): string {
  const build = version.split(' ')[0] ?? ''
  const debian = /\bDebian (\S+)/.exec(version)?.[1]
  return debian === undefined ? build : `${build}  Debian ${debian}`
}

/**
 * From 'CPU: …' to ' </TASK>', for the task that runs.
 * @kernel  dump_stack_lvl()
 */
export function dumpStack(state: KernelState, site: StackSite, path: StackPath): string[] {
  const { series, release, version, hardware } = state.config
  const task = currentTask(state)
  const uid = series === '6.1' ? '' : `UID: ${task?.uid ?? 0} `
  const comm = task?.comm ?? `swapper/${state.exec.cpu}`
  return [
    `CPU: ${state.exec.cpu} ${uid}PID: ${task?.pid ?? 0} Comm: ${comm} ${taintedText(state)} ${release} ${shortVersion(version)}`,
    ...taintedVerbose(state),
    `Hardware name: ${hardware}`,
    'Call Trace:',
    ' <TASK>',
    ...framesOf(series, site, path).map((frame) => ` ${frame}`),
    ' </TASK>',
  ]
}
