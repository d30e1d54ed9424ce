/**
 * Birth and death of tasks: fork, exit, signals, wait.
 * @kernel  kernel/fork.c, kernel/exit.c, kernel/signal.c
 */
import type { Errno } from '../util/errno'
import { context } from './context'
import { attachTask, detachTask } from './cgroup'
import { now } from './exec'
import { releaseInode } from './fs/vfs'
import { DIRTY_POLL_THRESH } from './mm/balance_dirty'
import { endDirectCompaction } from './mm/compaction_direct'
import { endManualCompaction } from './mm/compaction_manual'
import { endDirectReclaim } from './mm/direct_reclaim'
import { inodeAt } from './mm/filemap'
import { freeKernelStack } from './kernel_stack'
import { unmapAll } from './mappings'
import { tlbFinishMmu, tlbGatherMmu } from './mm/mmu_gather'
import { zapRange } from './mm/zap'
import { psiEnqueue, psiExit } from './mm/psi'
import { maxRssOf, mmAt, mmOf, syncTaskRss } from './mm/rss'
import { closePipeEnd, openPipeEnd } from './pipe'
import { enqueueTask, wakeTask } from './sched_queue'
import { getFileObject, giveTaskObjects, giveUserObjects, putFileObject, takeTaskObjects } from './slab_objects'
import type { KernelState } from './state'
import type { FileDescriptor, Op, ProgramData, Task } from './task'
import { emit } from './trace'

export const SIGINT = 2
export const SIGKILL = 9
export const SIGTERM = 15
export const SIGCHLD = 17
const SIGCONT = 18
/** SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU. */
const STOPPING = new Set([19, 20, 21, 22])
/** Signals whose default is to be ignored. */
const IGNORED = new Set([SIGCHLD, SIGCONT, 23, 28])

export interface NewTask {
  readonly ppid: number
  readonly comm: string
  readonly argv: readonly string[]
  readonly program: string
  readonly data: ProgramData
  readonly op: Op | undefined
  readonly isKthread: boolean
}

function nextPid(state: KernelState): number {
  do state.lastPid = state.lastPid >= state.sysctl.pidMax ? 300 : state.lastPid + 1
  while (state.tasks[state.lastPid] !== undefined)
  return state.lastPid
}

/**
 * A task in its parent's cgroup with the parent's adj, affinity, directory and descriptors; no address space yet.
 * @kernel  copy_process()
 */
export function createTask(state: KernelState, spec: NewTask): Task {
  const pid = nextPid(state)
  const parent = state.tasks[spec.ppid]
  const task = inheritPlacement(newTask(state, pid, spec, parent), parent)
  state.tasks[pid] = task
  state.taskList.push(pid)
  takeTaskObjects(state, pid, spec.isKthread)
  attachTask(state, pid, parent?.cgroup ?? 1)
  if (parent !== undefined) emit(state, 'sched_process_fork', [parent.pid, pid], task.comm)
  return task
}

/** What a task is born with, not yet known to anybody. @kernel dup_task_struct(), sched_fork() */
function newTask(state: KernelState, pid: number, spec: NewTask, parent: Task | undefined): Task {
  return {
    pid,
    tgid: pid,
    ppid: spec.ppid,
    comm: spec.comm.slice(0, 15),
    argv: spec.argv,
    uid: parent?.uid ?? 0,
    isKthread: spec.isKthread,
    state: 'S',
    waitChannel: '',
    cpu: parent?.cpu ?? pid % state.cpuNode.length,
    affinity: parent?.affinity ?? -1,
    wakeSequence: 0,
    cgroup: 1,
    mm: -1,
    program: spec.program,
    data: spec.data,
    op: spec.op,
    opDone: 0,
    result: 0,
    errno: '',
    resultText: '',
    fds: parent === undefined ? [] : parent.fds.map((fd) => copyDescriptor(state, fd)),
    cwd: parent?.cwd ?? '/',
    env: parent?.env ?? {},
    oomScoreAdj: parent?.oomScoreAdj ?? 0,
    oomScoreAdjMin: parent?.oomScoreAdjMin ?? 0,
    memalloc: false,
    isOomVictim: false,
    killSignal: 0,
    catchesSignals: false,
    signalled: false,
    overHigh: 0,
    retry: {
      chargeRetries: -1,
      chargeDrained: false,
      chargePassedOom: false,
      noProgressLoops: -1,
      compactRetries: 0,
      faultWasMajor: false,
    },
    startNs: now(state),
    utimeNs: 0,
    cutimeNs: 0,
    cstimeNs: 0,
    stimeNs: 0,
    minFlt: 0,
    majFlt: 0,
    cminFlt: 0,
    cmajFlt: 0,
    rssPending: [0, 0, 0, 0],
    rssEvents: 0,
    stallNs: 0,
    stalledSinceNs: -1,
    psiFlags: 0,
    nrDirtied: 0,
    nrDirtiedPause: DIRTY_POLL_THRESH,
    dirtyPausedNs: -1,
    exitStatus: 0,
    stackPfns: [],
    heapBlocks: {},
    zombies: [],
    nvcsw: 0,
    nivcsw: 0,
  }
}

/** Allowed CPUs and the memory policy with its place in the round. @kernel dup_task_struct(), mpol_dup() */
function inheritPlacement(task: Task, parent: Task | undefined): Task {
  if (parent?.cpusAllowed !== undefined) task.cpusAllowed = parent.cpusAllowed
  if (parent?.userCpus !== undefined) task.userCpus = parent.userCpus
  if (parent?.rlimits !== undefined) task.rlimits = parent.rlimits
  if (parent?.mempolicy !== undefined) task.mempolicy = parent.mempolicy
  if (parent?.ilPrev !== undefined) task.ilPrev = parent.ilPrev
  if (parent?.ilWeight !== undefined) task.ilWeight = parent.ilWeight
  return task
}

function copyDescriptor(state: KernelState, fd: FileDescriptor | undefined): FileDescriptor | undefined {
  getFileObject(state, fd)
  if (fd?.kind === 'inode') {
    inodeAt(state, fd.ino).users++
    return { ...fd, readahead: { ...fd.readahead } }
  }
  if (fd?.kind === 'pipe') openPipeEnd(state, fd.pipe, fd.end)
  return fd === undefined ? undefined : { ...fd }
}

export function closeDescriptor(state: KernelState, fd: FileDescriptor | undefined): void {
  putFileObject(state, fd)
  if (fd?.kind === 'pipe') closePipeEnd(state, fd.pipe, fd.end)
  if (fd?.kind !== 'inode') return
  const inode = inodeAt(state, fd.ino)
  inode.users--
  releaseInode(state, inode)
}

/** Takes the pages and mappings of an address space away when its last user goes. @kernel exit_mmap() */
export function exitMm(state: KernelState, task: Task): void {
  const mm = mmOf(state, task)
  if (mm === undefined) return
  syncTaskRss(state, task)
  task.maxRss = Math.max(task.maxRss ?? 0, maxRssOf(state, mm))
  task.mm = -1
  if (--mm.users > 0) return
  unmapAll(state, mm)
}

/**
 * The task ends. Its memory goes at once; the task stays as a zombie until its parent waits.
 * @param status  as a shell shows it: exit code, or 128 + signal
 * @kernel  do_exit()
 */
export function exitTask(state: KernelState, task: Task, status: number): void {
  endDirectReclaim(state, task.pid)
  endDirectCompaction(state, task.pid)
  endManualCompaction(state, task.pid)
  exitMm(state, task)
  freeKernelStack(state, task.stackPfns)
  for (const fd of task.fds) closeDescriptor(state, fd)
  task.fds = []
  giveUserObjects(state, task.pid)
  psiExit(state, task)
  task.state = 'Z'
  task.waitChannel = ''
  task.op = undefined
  task.exitStatus = status
  task.wakeSequence++
  detachTask(state, task.pid)
  for (const pid of state.taskList) {
    const child = state.tasks[pid]!
    if (child.ppid !== task.pid) continue
    child.ppid = 1
    if (child.state === 'Z') reapZombie(state, state.tasks[1], child)
  }
  task.zombies = []
  emit(state, 'sched_process_exit', [task.pid, status], task.comm)
  const parent = state.tasks[task.ppid]
  context.sink.exited?.(task.pid, status)
  if (parent === undefined || parent.pid === 1) reapZombie(state, parent, task)
  else {
    parent.zombies.push(task.pid)
    if (parent.state === 'S' && parent.waitChannel === 'do_wait') wakeTask(state, parent.pid)
  }
}

/** Removes a zombie and hands its counters to whoever waited. @kernel release_task() */
export function reapZombie(state: KernelState, parent: Task | undefined, zombie: Task): void {
  if (parent !== undefined) {
    parent.cminFlt += zombie.minFlt + zombie.cminFlt
    parent.cmajFlt += zombie.majFlt + zombie.cmajFlt
    parent.cutimeNs += zombie.utimeNs + zombie.cutimeNs
    parent.cstimeNs += zombie.stimeNs + zombie.cstimeNs
    const i = parent.zombies.indexOf(zombie.pid)
    if (i >= 0) parent.zombies.splice(i, 1)
  }
  giveTaskObjects(state, zombie.pid)
  delete state.tasks[zombie.pid]
  const at = state.taskList.indexOf(zombie.pid)
  if (at >= 0) state.taskList.splice(at, 1)
}

/**
 * Sends a signal. Deadly ones take effect when the task next runs; a sleeping task is woken for it.
 * @kernel  kill(), complete_signal()
 */
export function sendSignal(state: KernelState, pid: number, signal: number): Errno | undefined {
  const task = state.tasks[pid]
  if (task === undefined) return 'ESRCH'
  if (signal < 0 || signal > 64) return 'EINVAL'
  if (signal === 0 || task.isKthread || task.state === 'Z') return undefined
  // The global init ignores what it has no handler for. @kernel sig_task_ignored()
  if (pid === 1) return undefined
  emit(state, 'signal_generate', [signal, 0, 0, pid, 1, 0, state.exec.pid], task.comm)
  if (signal === SIGCONT || signal === SIGKILL) resume(state, task)
  if (STOPPING.has(signal)) task.isStopped = true
  if (STOPPING.has(signal) || IGNORED.has(signal)) return undefined
  if (task.catchesSignals && (signal === SIGTERM || signal === SIGINT)) task.signalled = true
  else if (task.killSignal !== SIGKILL) task.killSignal = signal
  if (task.state === 'S' || (signal === SIGKILL && task.state === 'D')) wakeTask(state, pid)
  return undefined
}

/** A stopped task goes on where it stopped. @kernel prepare_signal() */
function resume(state: KernelState, task: Task): void {
  task.isStopped = false
  if (task.state === 'T') wakeTask(state, task.pid)
}

/** Every task that shares the victim's memory. @kernel __oom_kill_process() */
export function sendKill(state: KernelState, pid: number): void {
  const mm = state.tasks[pid]?.mm ?? -1
  sendSignal(state, pid, SIGKILL)
  if (mm < 0) return
  for (const other of [...state.taskList])
    if (other !== pid && state.tasks[other]!.mm === mm) sendSignal(state, other, SIGKILL)
}

/** Unmaps a victim's private memory; the task itself may still be stuck. @kernel __oom_reap_task_mm() */
export function reapMm(state: KernelState, mmIndex: number): number {
  const mm = mmAt(state, mmIndex)
  let freed = 0
  tlbGatherMmu()
  for (const vma of mm.vmas)
    if (vma.ino === 0 || vma.anonVma !== 0) freed += zapRange(state, mm, vma, vma.start, vma.end)
  tlbFinishMmu(state, mmIndex, false)
  return freed
}

/** Makes a task with an operation ready to run. */
export function startTask(state: KernelState, task: Task): void {
  task.state = 'R'
  psiEnqueue(state, task)
  enqueueTask(state, task, true)
}
