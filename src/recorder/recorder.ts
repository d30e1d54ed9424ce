/**
 * Everything that is recorded of one run, and when the next sample is due. Time stands still while it looks.
 */
import { nextEventAt } from '../engine/queue'
import type { KernelState } from '../engine/state'
import { NS_PER_MS, type Ns } from '../util/units'
import { createEventRing, cutEvents, queryEvents, recordEvent, type EventRing, type TraceRecord } from './events'
import { commitSample, createFrameStore, cutFrames, type FrameStore } from './frames'
import { createSampler, forgetGroups, sampleMachine, type Sampler } from './sampler'
import { createSpanLog, cutSpans, recordSpan, type SpanLog } from './spans'

export interface RecorderOptions {
  readonly frameBudgetBytes: number
  readonly eventCapacity: number
  readonly spanCapacity: number
  readonly samplePeriodNs: Ns
}

export const DEFAULT_RECORDER: RecorderOptions = {
  frameBudgetBytes: 96 * 1024 * 1024,
  eventCapacity: 1 << 17,
  spanCapacity: 50_000,
  samplePeriodNs: 10 * NS_PER_MS,
}

export interface Recorder {
  readonly options: RecorderOptions
  readonly frames: FrameStore
  readonly events: EventRing
  readonly spans: SpanLog
  readonly sampler: Sampler
  /** A command changed the machine since the last sample: do not wait for the next event. */
  isTouched: boolean
}

/** Starts a record with a sample of the machine as it is. */
export function createRecorder(state: KernelState, options: RecorderOptions = DEFAULT_RECORDER): Recorder {
  const frames = createFrameStore(options.frameBudgetBytes)
  const recorder: Recorder = {
    options,
    frames,
    events: createEventRing(options.eventCapacity),
    spans: createSpanLog(options.spanCapacity),
    sampler: createSampler(frames, state),
    isTouched: false,
  }
  takeSample(recorder, state)
  return recorder
}

/** When the next sample is due: on a grid, but not while nothing happens. */
export function nextSampleNs(recorder: Recorder, state: KernelState): Ns {
  const period = recorder.options.samplePeriodNs
  const gridAfter = (at: Ns): Ns => (Math.floor(at / period) + 1) * period
  const soonest = gridAfter(recorder.frames.lastNs)
  if (recorder.isTouched) return Math.max(soonest, Math.ceil(state.nowNs / period) * period)
  const next = nextEventAt(state.queue)
  if (next === undefined) return Infinity
  return Math.max(soonest, Math.ceil(next / period) * period)
}

/** Samples the machine now, unless this time was sampled already. */
export function takeSample(recorder: Recorder, state: KernelState): void {
  recorder.isTouched = false
  if (state.nowNs <= recorder.frames.lastNs) return
  sampleMachine(recorder.sampler, recorder.frames, state)
  commitSample(recorder.frames, state.nowNs)
}

export function recordTrace(recorder: Recorder, record: TraceRecord): void {
  recordEvent(recorder.events, record)
  recordSpan(recorder.spans, record)
}

/** The run was cut at `atNs`: what came later never happened. */
export function cutRecorder(recorder: Recorder, atNs: Ns): void {
  cutFrames(recorder.frames, atNs)
  cutEvents(recorder.events, atNs)
  const passes = { fromNs: 0, toNs: Infinity, names: ['mm_vmscan_lru_shrink_inactive'], limit: Infinity }
  const done = queryEvents(recorder.events, passes)
  cutSpans(recorder.spans, atNs, (pid, fromNs) =>
    done.reduce((sum, e) => (e.pid === pid && e.atNs >= fromNs ? sum + (e.fields['nr_reclaimed'] ?? 0) : sum), 0),
  )
  forgetGroups(recorder.sampler)
}

/** Bytes of samples; the rings are of fixed size. */
export const recorderBytes = (recorder: Recorder): number => recorder.frames.bytes
