/**
 * The session that owns the machine: its status, and everything that a person can ask of it. Every action here is
 * one request; what the machine then does comes back as events. A refusal becomes one line in `trouble`.
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { MachineSummary, ReplyOf, Request, StatusMessage, StopReport } from '../../protocol/messages'
import type { Result } from '../../util/result'
import { formatUserError } from '../../util/result'
import type { Ns } from '../../util/units'
import { NS_PER_MS, NS_PER_S } from '../../util/units'
import { useClient } from '../client'

/** A step of the transport: one event, or a stretch of simulated time. */
export interface StepSize {
  readonly id: string
  readonly label: string
  readonly by: { readonly events: number } | { readonly ns: Ns }
}

export const STEP_SIZES: readonly StepSize[] = [
  { id: 'event', label: 'event', by: { events: 1 } },
  { id: '1ms', label: '1 ms', by: { ns: NS_PER_MS } },
  { id: '10ms', label: '10 ms', by: { ns: 10 * NS_PER_MS } },
  { id: '100ms', label: '100 ms', by: { ns: 100 * NS_PER_MS } },
  { id: '1s', label: '1 s', by: { ns: NS_PER_S } },
]

/** Simulated seconds a wall second. */
export const SPEEDS: readonly number[] = [0.01, 0.1, 0.5, 1, 2, 10, 100, Infinity]

export const useSession = defineStore('session', () => {
  const client = useClient()
  const status = shallowRef<StatusMessage | undefined>()
  const stopReport = shallowRef<StopReport | undefined>()
  const trouble = ref('')
  const isBusy = ref(false)
  /** Counts the machines that came up in this window: what belongs to one is thrown away when it changes. */
  const boots = ref(0)
  /** Counts the boots that were no lab's: the session ends a lab with its machine. */
  const leftLab = ref(0)
  /** The run up to here is in a file, or is only the boot. */
  const keptNs = ref(0)
  const speed = ref(1)
  const stepId = ref('10ms')
  const machines = shallowRef<readonly MachineSummary[]>([])

  const hasMachine = computed(() => status.value !== undefined && status.value.machine !== '')
  const isRunning = computed(() => status.value?.running ?? false)
  const nowNs = computed(() => status.value?.nowNs ?? 0)
  /** The clock stands before the end of the recorded run: a write here starts a fork. */
  const isInPast = computed(() => (status.value ? status.value.endNs > status.value.nowNs : false))
  /** There is more of the run than the boot, and no file has it. */
  const isUnsaved = computed(() => (status.value?.endNs ?? 0) > keptNs.value)
  const step = computed(() => STEP_SIZES.find((size) => size.id === stepId.value) ?? STEP_SIZES[0]!)

  client.on((event) => {
    if (event.kind === 'status') status.value = event.status
    if (event.kind === 'stopped') {
      stopReport.value = event.report
      trouble.value = `${event.report.reason}: ${event.report.message}`
    }
  })

  /** One request; a refusal is shown as one line and handed back. */
  async function ask<R extends Request>(request: R): Promise<Result<ReplyOf[R['kind']]>> {
    const result = await client.request(request)
    if (!result.ok) trouble.value = formatUserError(result.error)
    return result
  }

  /** A request whose answer is the new status. */
  async function move(
    request: Extract<Request, { kind: 'boot' | 'step' | 'seek' | 'reset' | 'loadSession' }>,
  ): Promise<boolean> {
    isBusy.value = true
    const result = await ask(request)
    isBusy.value = false
    if (result.ok) status.value = result.value
    if (result.ok && request.kind !== 'step' && request.kind !== 'seek') {
      leftLab.value++
      cameUp()
    }
    return result.ok
  }

  /** Another machine is up, or the same one anew. */
  function cameUp(): void {
    boots.value++
    keptNs.value = status.value?.endNs ?? 0
  }

  async function boot(profile: string, seed = 1): Promise<boolean> {
    trouble.value = ''
    stopReport.value = undefined
    return move({ kind: 'boot', profile, seed })
  }
  async function reset(): Promise<boolean> {
    trouble.value = ''
    stopReport.value = undefined
    return move({ kind: 'reset' })
  }
  const play = (): Promise<unknown> => ask({ kind: 'play', speed: speed.value })
  const pause = (): Promise<unknown> => ask({ kind: 'pause' })
  const runOrPause = (): Promise<unknown> => (isRunning.value ? pause() : play())
  const stepBy = (size: StepSize): Promise<boolean> => {
    stepId.value = size.id
    return move({ kind: 'step', by: size.by })
  }
  const stepForward = (): Promise<boolean> => move({ kind: 'step', by: step.value.by })
  const stepBack = (): Promise<boolean> => {
    const by = step.value.by
    return 'events' in by
      ? move({ kind: 'step', by: { events: -by.events } })
      : move({ kind: 'seek', atNs: Math.max(0, nowNs.value - by.ns) })
  }
  const seek = (atNs: Ns): Promise<boolean> => move({ kind: 'seek', atNs: Math.max(0, Math.round(atNs)) })
  async function setSpeed(value: number): Promise<void> {
    speed.value = value
    if (isRunning.value) await play()
  }

  /** `echo text > path`, as every control does. */
  const writeFile = (path: string, text: string): Promise<Result<undefined>> => ask({ kind: 'writeFile', path, text })
  const readFile = (path: string): Promise<Result<string>> => client.request({ kind: 'readFile', path })
  const exec = (line: string): Promise<Result<undefined>> => ask({ kind: 'exec', line })
  const kill = (pid: number, signal: number): Promise<Result<undefined>> => ask({ kind: 'kill', pid, signal })

  async function loadMachines(): Promise<void> {
    const result = await ask({ kind: 'listMachines' })
    if (result.ok) machines.value = result.value
  }
  const dismissTrouble = (): void => void (trouble.value = '')

  return {
    status,
    stopReport,
    trouble,
    isBusy,
    boots,
    leftLab,
    keptNs,
    isUnsaved,
    speed,
    stepId,
    machines,
    hasMachine,
    isRunning,
    nowNs,
    isInPast,
    step,
    ask,
    move,
    cameUp,
    boot,
    reset,
    play,
    pause,
    runOrPause,
    stepBy,
    stepForward,
    stepBack,
    seek,
    setSpeed,
    writeFile,
    readFile,
    exec,
    kill,
    loadMachines,
    dismissTrouble,
  }
})
