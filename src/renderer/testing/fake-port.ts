/** The made-up machine as a client: answers every request, and moves its clock while it plays. */
import type { HostEvent, Request, StatusMessage } from '../../protocol/messages'
import { ok, userError } from '../../util/result'
import type { EngineClient } from '../client'
import { FAKE_LABS, FAKE_MACHINES, FAKE_OOM, fakeFrame, fakeLab, fakePreview, fakeZones } from './fake-frames'
import { fakeEvents, fakePsi, fakeSeries, fakeSeriesList, fakeSpans } from './fake-series'

const TICK_MS = 50

export interface FakeClient extends EngineClient {
  readonly asked: Request[]
  /** Sends an event as the session would. */
  say(event: HostEvent): void
}

/** @param options.startNs  where the clock stands after a boot */
export function createFakeClient(options: { startNs?: number } = {}): FakeClient {
  const listeners = new Set<(event: HostEvent) => void>()
  const asked: Request[] = []
  const say = (event: HostEvent): void => listeners.forEach((listener) => listener(event))
  let status: StatusMessage | undefined
  let timer: ReturnType<typeof setInterval> | undefined

  function at(nowNs: number, more: Partial<StatusMessage> = {}): StatusMessage {
    const zone = fakeZones(nowNs)[1]
    status = {
      machine: 'vm-512m',
      release: '6.12.95+deb12-cloud-amd64',
      cpus: 2,
      memoryBytes: 512 * 1024 * 1024,
      nodes: 1,
      eventCount: Math.round(nowNs / 33_000),
      running: false,
      speed: 1,
      measuredSpeed: 31.4,
      seed: 42,
      recorderBytes: 18.2 * 1024 * 1024,
      recorderBudgetBytes: 256 * 1024 * 1024,
      panicked: '',
      profile: FAKE_MACHINES[0]!.profile,
      ...status,
      ...more,
      nowNs,
      endNs: Math.max(nowNs, status?.endNs ?? 0),
      oomKills: nowNs > 43.55e9 ? 1 : 0,
      psiSome: fakePsi(nowNs),
      psiFull: fakePsi(nowNs) * 0.37,
      tightest: zone,
      slabPages: 4212,
      unusable: 0.41,
    }
    say({ kind: 'status', status })
    say({ kind: 'frame', frame: fakeFrame(nowNs) })
    return status
  }
  function stop(): void {
    clearInterval(timer)
    if (status) at(status.nowNs, { running: false })
  }
  function play(speed: number): void {
    clearInterval(timer)
    timer = setInterval(
      () => at((status?.nowNs ?? 0) + Math.min(speed, 20) * TICK_MS * 1e6, { running: true, speed }),
      TICK_MS,
    )
  }

  function answer(request: Request): unknown {
    switch (request.kind) {
      case 'boot':
        return at(options.startNs ?? 0, {
          machine: FAKE_MACHINES.find((m) => m.profile === request.profile)?.id ?? 'edited',
          profile: request.profile,
        })
      case 'loadSession':
        return at(options.startNs ?? 0)
      case 'reset':
        return at(0)
      case 'seek':
        return at(request.atNs)
      case 'step':
        return at((status?.nowNs ?? 0) + ('ns' in request.by ? request.by.ns : request.by.events * 33_000))
      case 'play':
        return play(request.speed)
      case 'pause':
        return stop()
      case 'listMachines':
        return FAKE_MACHINES
      case 'listLabs':
        return FAKE_LABS
      case 'preview':
        return fakePreview()
      case 'getSeries':
        return fakeSeries(request.names, { ...request, endNs: status?.endNs ?? 0 })
      case 'getSpans':
        return fakeSpans(request.fromNs, Math.min(request.toNs, status?.endNs ?? 0))
      case 'getEvents':
        return fakeEvents(request.fromNs, Math.min(request.toNs, status?.endNs ?? 0)).filter(
          (event) => request.names.length === 0 || request.names.includes(event.name),
        )
      case 'listSeries':
        return fakeSeriesList()
      case 'getOomReports':
        return [FAKE_OOM]
      case 'subscribe':
        return status && say({ kind: 'frame', frame: fakeFrame(status.nowNs) })
      case 'terminalOpen':
        return say({
          kind: 'terminal',
          terminal: request.terminal,
          text: 'root@vm-512m:~# \u001b[1mvmstat 1\u001b[0m\r\nprocs -----------memory---------- ---swap--\r\n r  b   swpd   free   buff  cache   si   so\r\n 1  0      0  10428      0  61208    0    0\r\nroot@vm-512m:~# ',
        })
      case 'terminalInput':
        return say({
          kind: 'terminal',
          terminal: request.terminal,
          text: request.text === '\r' ? '\r\nroot@vm-512m:~# ' : request.text,
        })
      case 'exec':
        return say({ kind: 'terminal', terminal: 0, text: `${request.line}\r\nroot@vm-512m:~# ` })
      case 'startLab':
        at(options.startNs ?? 0)
        return fakeLab()
      case 'labAnswer':
      case 'labHint':
        return fakeLab()
      case 'saveSession':
        return '{"format":"pagewalk-session","version":1}'
      case 'importCapture':
        return FAKE_MACHINES[0]!.profile
      case 'readFile':
        return '60\n'
      case 'spawn':
        return 400
      case 'checkInvariants':
        return []
      default:
        return undefined
    }
  }

  return {
    asked,
    say,
    request: ((request: Request) => {
      asked.push(request)
      if (request.kind === 'writeFile' && request.text === 'lots')
        return Promise.resolve(userError('EINVAL', request.path, 'lots is no size.', 'Write bytes, 100M or max.'))
      return Promise.resolve(ok(answer(request)))
    }) as EngineClient['request'],
    on(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
