/**
 * What a user may do to a machine besides letting time pass: the commands of the engine's surface. Each is logged with
 * its simulated time by whoever gives it, so that a run can be repeated.
 */
import type { Errno } from '../util/errno'
import type { Result } from '../util/result'
import type { Rlimit } from './rlimit'
import type { HostOp } from './task'

/** Where descriptors 0, 1 and 2 of a new task lead. 'host' text arrives at Sink.output. */
export type Stdio =
  | { readonly to: 'host' }
  | { readonly to: 'null' }
  | { readonly to: 'file'; readonly path: string; readonly append: boolean }

export type Command =
  /**
   * fork + exec by `parent`: a program of the table, or a host-driven tool (any other name in `tool`). The child inherits
   * cgroup, affinity, oom_score_adj, cwd and env. Reply: its pid. ENOENT when there is no such program.
   */
  | {
      readonly kind: 'spawn'
      readonly parent: number
      readonly argv: readonly string[]
      readonly env?: Readonly<Record<string, string>>
      readonly stdin?: Stdio
      readonly stdout?: Stdio
      readonly stderr?: Stdio
      readonly tool?: boolean
      /** The program in an executable file that was built on the machine, and that file's path. */
      readonly built?: { readonly program: string; readonly path: string }
    }
  /** fork without exec: a subshell, driven by the host. Reply: pid. */
  | { readonly kind: 'fork'; readonly parent: number }
  /** A host-driven task ends by itself. */
  | { readonly kind: 'exit'; readonly pid: number; readonly status: number }
  /** wait(): the parent takes the zombie away. Reply: status. ECHILD when there is none. */
  | { readonly kind: 'reap'; readonly parent: number; readonly pid: number }
  | { readonly kind: 'signal'; readonly pid: number; readonly signal: number; readonly from: number }
  /** read(2) of a whole file by a task, with its side effects. Reply: text. */
  | { readonly kind: 'read'; readonly pid: number; readonly path: string }
  /**
   * open(2) with O_WRONLY and, if asked, O_CREAT, O_TRUNC or O_APPEND, then one write(2). `goesOn`: work that takes long is
   * done by the task as its own operation; the reply is 1 then, and Sink.performed tells the end.
   */
  | {
      readonly kind: 'write'
      readonly pid: number
      readonly path: string
      readonly text: string
      readonly create: boolean
      readonly append: boolean
      /** At least so long, by bytes without text after it. */
      readonly sizeBytes?: number
      readonly goesOn?: boolean
    }
  /** A system call on files that a host-driven task makes in its own time. Reply: 1; Sink.performed tells the end. */
  | { readonly kind: 'perform'; readonly pid: number; readonly op: HostOp }
  /** stat(2) of a path, or of everything in a directory: names and inodes come into memory. Never refused. */
  | { readonly kind: 'lookup'; readonly pid: number; readonly path: string; readonly entries: boolean }
  | { readonly kind: 'mkdir'; readonly pid: number; readonly path: string; readonly parents: boolean }
  | { readonly kind: 'rmdir'; readonly pid: number; readonly path: string }
  | { readonly kind: 'unlink'; readonly pid: number; readonly path: string }
  | { readonly kind: 'rename'; readonly pid: number; readonly from: string; readonly to: string }
  | { readonly kind: 'chdir'; readonly pid: number; readonly path: string }
  | {
      readonly kind: 'mount'
      readonly pid: number
      readonly fs: string
      readonly source: string
      readonly path: string
      readonly options: readonly string[]
    }
  | { readonly kind: 'umount'; readonly pid: number; readonly path: string }
  | { readonly kind: 'mkswap'; readonly pid: number; readonly path: string }
  | { readonly kind: 'swapon'; readonly pid: number; readonly path: string; readonly priority?: number }
  | { readonly kind: 'swapoff'; readonly pid: number; readonly path: string }
  /**
   * setrlimit(2) on itself; 'unlimited' or a number in the limit's own unit, what is left out stays. EINVAL: soft above
   * hard; EPERM: not root, and the hard limit would rise.
   */
  | {
      readonly kind: 'setRlimit'
      readonly pid: number
      readonly limit: Rlimit
      readonly soft?: number | 'unlimited'
      readonly hard?: number | 'unlimited'
    }
  /** A shell variable assignment exported, or the terminal's comm: cosmetic facts of a host-driven task. */
  /** sched_setaffinity(2) on itself. EINVAL: no such CPU, or none. */
  | { readonly kind: 'setAffinity'; readonly pid: number; readonly cpus: readonly number[] }
  /** set_mempolicy(2): MPOL_* mode, nodes of the mask. */
  | { readonly kind: 'setMempolicy'; readonly pid: number; readonly mode: number; readonly nodes: readonly number[] }
  /** get_mempolicy(2). Reply: text as in numa_maps, value = node of the next interleaved page, else 0. */
  | { readonly kind: 'getMempolicy'; readonly pid: number }
  | { readonly kind: 'setComm'; readonly pid: number; readonly comm: string }

export interface CommandReply {
  /** A pid, a status, 1 for a write that goes on, or 0. */
  readonly value: number
  readonly text: string
}

/** The kernel's refusal. Programs print `strerror(errno)`; our explanation stands beside it. */
export interface Refusal {
  readonly errno: Errno
  /** Why, in our words, with the value and what would be accepted. May be ''. */
  readonly explanation: string
}

export type CommandResult = Result<CommandReply, Refusal>

export interface FileStat {
  readonly kind: 'file' | 'dir' | 'device' | 'symlink'
  readonly sizeBytes: number
  readonly writable: boolean
  readonly executable: boolean
  readonly target: string
}
