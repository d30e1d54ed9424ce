/**
 * The whole protocol between a window and the session that owns the machine: requests, replies, events.
 * Every request has an id and exactly one reply, a Result. Nothing here refers to a live object of the engine.
 */
import type { Result } from '../util/result'
import type { BuddyView, GetBuddy, GetSlabs, SlabsView } from './allocators'
import type { TrySysctl, ZoneTrial } from './sysctl-trial'
import type { Ns, Pfn } from '../util/units'
import type { PageInfo, PageMap, PageMapLayout, PageMapQuery } from './page-map'
import type { Plan } from '../profiles'
import type { PreviewPods } from './pods'
import type { Advise, AdviseProgress, AdviseReport } from './advise'
import type { FaultReply, GetFault, GetSpace, GetTlb, GetWalk, SpaceReply, TlbReply, WalkReply } from './paging'
import type { GetNuma, NumaReply } from './numa'
import type { GetReclaim, ReclaimReply } from './reclaim'

// ---------------------------------------------------------------- requests

export type Request =
  /** Boots a machine profile (the JSON text of the file, or a ready machine's name). Replaces the running machine. */
  | { readonly kind: 'boot'; readonly profile: string; readonly seed: number }
  /** Zones and watermarks of a profile without booting it: for the editor that redraws as one types. */
  | { readonly kind: 'preview'; readonly profile: string }
  /** speed: simulated seconds per wall second; Infinity = as fast as it goes. */
  | { readonly kind: 'play'; readonly speed: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'step'; readonly by: { readonly events: number } | { readonly ns: Ns } }
  /** Any time of the run; back in time restores a checkpoint and replays. */
  | { readonly kind: 'seek'; readonly atNs: Ns }
  | { readonly kind: 'reset' }
  | { readonly kind: 'readFile'; readonly path: string }
  /** What every control does: one shell line's worth of write. `create`: makes the file when there is none, as > does. */
  | { readonly kind: 'writeFile'; readonly path: string; readonly text: string; readonly create?: boolean }
  | { readonly kind: 'mkdir'; readonly path: string }
  | { readonly kind: 'rmdir'; readonly path: string }
  /** Keyboard of a terminal: text as typed, control characters included. */
  | { readonly kind: 'terminalInput'; readonly terminal: number; readonly text: string }
  | { readonly kind: 'terminalOpen'; readonly terminal: number; readonly columns: number; readonly rows: number }
  | { readonly kind: 'terminalResize'; readonly terminal: number; readonly columns: number; readonly rows: number }
  /** Runs one line in the shell of terminal 0 as if typed: what buttons and labs use. */
  | { readonly kind: 'exec'; readonly line: string }
  | { readonly kind: 'spawn'; readonly argv: readonly string[]; readonly cgroup: string }
  | { readonly kind: 'kill'; readonly pid: number; readonly signal: number }
  /** Which live sections `frame` events carry from now on. */
  | { readonly kind: 'subscribe'; readonly sections: readonly FrameSection[] }
  | {
      readonly kind: 'getSeries'
      readonly names: readonly string[]
      readonly fromNs: Ns
      readonly toNs: Ns
      readonly buckets: number
    }
  | { readonly kind: 'getSpans'; readonly fromNs: Ns; readonly toNs: Ns; readonly limit: number }
  | {
      readonly kind: 'getEvents'
      readonly fromNs: Ns
      readonly toNs: Ns
      readonly names: readonly string[]
      readonly limit: number
    }
  | { readonly kind: 'listSeries' }
  | { readonly kind: 'getOomReports' }
  | GetBuddy
  | GetSlabs
  | GetWalk
  | GetSpace
  | GetFault
  | GetTlb
  | GetReclaim
  | GetNuma
  | TrySysctl
  | PreviewPods
  | Advise
  | { readonly kind: 'startLab'; readonly id: string; readonly seed: number }
  | { readonly kind: 'labAnswer'; readonly step: number; readonly answer: string }
  | { readonly kind: 'labHint'; readonly step: number }
  | { readonly kind: 'getLab' }
  | { readonly kind: 'stopLab' }
  | { readonly kind: 'listLabs' }
  | { readonly kind: 'listMachines' }
  /** The session file: profile + seed + command log; replays to the same bits. */
  | { readonly kind: 'saveSession' }
  | { readonly kind: 'loadSession'; readonly text: string; readonly fileName: string }
  /** Files of a captured machine → profile JSON. */
  | { readonly kind: 'importCapture'; readonly files: Readonly<Record<string, string>>; readonly name: string }
  | { readonly kind: 'checkInvariants' }
  /** What the memory map can show of this machine; new groups come with time. */
  | { readonly kind: 'getPageLayout' }
  | { readonly kind: 'getPageMap'; readonly query: PageMapQuery }
  | { readonly kind: 'getPage'; readonly pfn: Pfn }

export type FrameSection = 'zones' | 'tasks' | 'cgroups' | 'pressure' | 'swap'

export interface RequestEnvelope {
  readonly id: number
  readonly request: Request
}

// ---------------------------------------------------------------- replies

export interface ReplyOf {
  boot: StatusMessage
  preview: MachinePreview
  play: undefined
  pause: undefined
  step: StatusMessage
  seek: StatusMessage
  reset: StatusMessage
  readFile: string
  writeFile: undefined
  mkdir: undefined
  rmdir: undefined
  terminalInput: undefined
  terminalOpen: undefined
  terminalResize: undefined
  exec: undefined
  spawn: number
  kill: undefined
  subscribe: undefined
  getSeries: SeriesWindow
  getSpans: readonly ReclaimSpan[]
  getEvents: readonly RecordedEvent[]
  listSeries: readonly SeriesInfo[]
  getOomReports: readonly OomReport[]
  getBuddy: BuddyView
  getSlabs: SlabsView
  getWalk: WalkReply
  getSpace: SpaceReply
  getFault: FaultReply
  getTlb: TlbReply
  getReclaim: ReclaimReply
  getNuma: NumaReply
  trySysctl: readonly ZoneTrial[]
  previewPods: Plan
  advise: AdviseReport
  startLab: LabProgress
  labAnswer: LabProgress
  labHint: LabProgress
  /** The open lab; undefined when there is none. */
  getLab: LabProgress | undefined
  stopLab: undefined
  listLabs: readonly LabSummary[]
  listMachines: readonly MachineSummary[]
  saveSession: string
  loadSession: StatusMessage
  importCapture: string
  checkInvariants: readonly string[]
  getPageLayout: PageMapLayout
  getPageMap: PageMap
  getPage: PageInfo
}

export interface ReplyEnvelope {
  readonly id: number
  readonly result: Result<unknown>
}

// ---------------------------------------------------------------- events

export type HostEvent =
  | { readonly kind: 'status'; readonly status: StatusMessage }
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'terminal'; readonly terminal: number; readonly text: string }
  | { readonly kind: 'labProgress'; readonly progress: LabProgress }
  | { readonly kind: 'advice'; readonly progress: AdviseProgress }
  /** The machine stopped by itself: a kernel panic, or our own bug with a report to send. */
  | { readonly kind: 'stopped'; readonly report: StopReport }

export interface StatusMessage {
  readonly machine: string
  readonly release: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly nodes: number
  readonly nowNs: Ns
  /** End of the recorded run: > nowNs after a seek back. */
  readonly endNs: Ns
  readonly eventCount: number
  readonly running: boolean
  readonly speed: number
  /** Measured simulated seconds per wall second over the last second. */
  readonly measuredSpeed: number
  readonly seed: number
  readonly recorderBytes: number
  readonly recorderBudgetBytes: number
  readonly panicked: string
  readonly oomKills: number
  /** psi some and full avg10, percent. */
  readonly psiSome: number
  readonly psiFull: number
  /** The zone nearest to its watermarks. */
  readonly tightest: ZoneFrame | undefined
  readonly slabPages: number
  /** Unusable free space index of the largest zone for a block of 2 MiB, 0 to 1. */
  readonly unusable: number
  /** Profile JSON that was booted. */
  readonly profile: string
  /** Something that the person should know about what was just done: a session that replays differently. */
  readonly notice?: string
}

export interface ZoneFrame {
  readonly nid: number
  readonly name: string
  readonly startPfn: number
  readonly free: number
  readonly min: number
  readonly low: number
  readonly high: number
  readonly boost: number
  readonly spanned: number
  readonly present: number
  readonly managed: number
  readonly pcp: number
  readonly anon: number
  readonly file: number
  /** Slab, page tables, stacks and everything else that the kernel holds. */
  readonly pagetables: number
  readonly kernel: number
  /** lowmem_reserve */
  readonly protection: readonly number[]
}

export interface TaskFrame {
  readonly pid: number
  readonly ppid: number
  readonly comm: string
  readonly state: string
  readonly waitChannel: string
  readonly cpu: number
  readonly cpuPercent: number
  readonly rssAnonKib: number
  readonly rssFileKib: number
  readonly rssShmemKib: number
  readonly swapKib: number
  readonly pgtablesKib: number
  readonly vmSizeKib: number
  readonly minflt: number
  readonly majflt: number
  readonly oomScore: number
  readonly oomScoreAdj: number
  readonly cgroup: string
  readonly stallNs: Ns
  readonly isKthread: boolean
  readonly isOomVictim: boolean
}

/** All amounts in bytes; limits are −1 for 'max'. */
export interface CgroupFrame {
  readonly path: string
  readonly parent: string
  readonly depth: number
  readonly hasMemory: boolean
  readonly current: number
  readonly peak: number
  readonly anon: number
  readonly file: number
  readonly kernel: number
  readonly swapCurrent: number
  readonly min: number
  readonly low: number
  readonly high: number
  readonly max: number
  readonly swapMax: number
  readonly emin: number
  readonly elow: number
  readonly oomGroup: boolean
  readonly events: Readonly<Record<string, number>>
  readonly eventsLocal: Readonly<Record<string, number>>
  readonly processes: readonly number[]
  readonly throttledNs: Ns
  /** avg10 of some, percent. */
  readonly psiSome: number
}

export interface Frame {
  readonly atNs: Ns
  readonly zones?: readonly ZoneFrame[]
  readonly cpus?: readonly {
    readonly cpu: number
    readonly nid: number
    readonly comm: string
    readonly busyPercent: number
  }[]
  readonly tasks?: readonly TaskFrame[]
  readonly cgroups?: readonly CgroupFrame[]
  readonly swap?: readonly {
    readonly path: string
    readonly totalBytes: number
    readonly usedBytes: number
    readonly priority: number
  }[]
  readonly pressure?: { readonly some: readonly number[]; readonly full: readonly number[] }
}

export interface SeriesInfo {
  /** 'zone:0:DMA32:free', 'vmstat:pgscan_kswapd', 'psi:some:avg10', 'cgroup:/a:current' */
  readonly name: string
  readonly unit: 'pages' | 'pfn' | 'bytes' | 'count' | 'percent' | 'ns' | 'kib' | 'index'
  /** counter: only grows, shown as a rate; level: shown as it is. */
  readonly shape: 'level' | 'counter'
}

export interface SeriesWindow {
  readonly fromNs: Ns
  readonly toNs: Ns
  /** Same length for every series: bucket start times, ns. */
  readonly times: Float64Array
  readonly series: readonly {
    readonly name: string
    readonly min: Float64Array
    readonly max: Float64Array
    readonly last: Float64Array
  }[]
}

/** One stretch of reclaim work. */
export interface ReclaimSpan {
  readonly track: 'kswapd' | 'direct' | 'memcg' | 'throttle'
  readonly fromNs: Ns
  readonly toNs: Ns
  readonly pid: number
  readonly comm: string
  readonly nid: number
  readonly reclaimed: number
}

export interface RecordedEvent {
  readonly atNs: Ns
  readonly name: string
  readonly pid: number
  readonly comm: string
  readonly cpu: number
  readonly fields: Readonly<Record<string, number>>
  readonly text: string
}

export interface OomCandidate {
  readonly pid: number
  readonly comm: string
  readonly rssPages: number
  readonly swapPages: number
  readonly pgtablePages: number
  readonly adj: number
  readonly adjPages: number
  readonly points: number
  /** Why it was not even considered, or ''. */
  readonly spared: string
  readonly chosen: boolean
}

export interface OomReport {
  readonly atNs: Ns
  readonly constraint: string
  readonly oomMemcg: string
  readonly totalPages: number
  readonly allocator: { readonly pid: number; readonly comm: string }
  readonly victim: { readonly pid: number; readonly comm: string } | undefined
  readonly candidates: readonly OomCandidate[]
  /** Lines as dmesg prints them. */
  readonly lines: readonly string[]
  readonly explanation: readonly string[]
}

export interface StopReport {
  readonly reason: 'panic' | 'assertion' | 'crash'
  readonly message: string
  readonly seed: number
  readonly atNs: Ns
  readonly session: string
}

export interface MachineSummary {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly memoryBytes: number
  readonly cpus: number
  readonly nodes: number
  readonly profile: string
}

/** What boot would make of a profile. */
export interface MachinePreview {
  readonly zones: readonly ZoneFrame[]
  readonly nodes: readonly {
    readonly nid: number
    readonly cpus: readonly number[]
    readonly order: readonly number[]
    readonly managed: number
    readonly ranges: readonly { readonly startBytes: number; readonly endBytes: number }[]
  }[]
  readonly holes: readonly { readonly startBytes: number; readonly endBytes: number; readonly why: string }[]
  readonly minFreeKbytes: number
  readonly totalPages: number
  readonly warnings: readonly string[]
}

export interface LabSummary {
  readonly id: string
  readonly title: string
  readonly summary: string
  readonly minutes: number
  readonly topics: readonly number[]
  readonly steps: number
  /** What one knows afterwards. */
  readonly outcomes: readonly string[]
}

export interface LabStepView {
  readonly index: number
  readonly kind: 'text' | 'command' | 'prediction' | 'number' | 'check' | 'explanation'
  /** Markdown. */
  readonly body: string
  readonly command?: string
  readonly choices?: readonly string[]
  /** Of a number step: what stands behind the field, '' for a bare number. */
  readonly unit?: string
  readonly answer?: string
  readonly answerRight?: boolean
  /** Of a number step: answers given so far. */
  readonly tries?: number
  readonly state: 'locked' | 'open' | 'done'
  readonly checks: readonly { readonly text: string; readonly passed: boolean; readonly seen: string }[]
  readonly hint?: string
  readonly hasHint: boolean
}

export interface LabProgress {
  readonly id: string
  readonly title: string
  readonly seed: number
  readonly steps: readonly LabStepView[]
  readonly current: number
  readonly finished: boolean
}
