/**
 * The engine lives in a process of its own: a machine that runs flat out cannot block menus, and one that dies takes
 * nothing with it. Main only brokers a port between that process and the page; it never reads what passes.
 */
import { app, MessageChannelMain, utilityProcess } from 'electron'
import type { UtilityProcess, WebContents } from 'electron'
import { join } from 'node:path'
import type { ConnectMessage, ShellMessage } from '../protocol/shell-api'

/** More deaths than this within a minute, and starting it again would only repeat them. */
const DEATHS_MAX = 3
const DEATHS_WITHIN_MS = 60_000

export interface Engine {
  /** Gives the page a fresh port; an older one of the same page ends. */
  connect(contents: WebContents): void
  stop(): void
}

export function startEngine(): Engine {
  const entry = join(import.meta.dirname, 'engine.js')
  const pages = new Set<WebContents>()
  const deaths: number[] = []
  let isStopping = false
  let child: UtilityProcess | undefined = fork()

  function fork(): UtilityProcess {
    const forked = utilityProcess.fork(entry, [], { serviceName: `${app.getName()} engine` })
    forked.once('exit', onExit)
    return forked
  }

  function onExit(): void {
    child = undefined
    if (isStopping) return
    deaths.push(Date.now())
    if (deaths.filter((at) => Date.now() - at < DEATHS_WITHIN_MS).length > DEATHS_MAX) {
      for (const page of pages) tell(page, { kind: 'pagewalk:engine-lost', message: LOST })
      return
    }
    child = fork()
    for (const page of pages) handOver(page, true)
  }

  function handOver(contents: WebContents, restarted: boolean): void {
    if (!child) {
      tell(contents, { kind: 'pagewalk:engine-lost', message: LOST })
      return
    }
    const { port1, port2 } = new MessageChannelMain()
    child.postMessage({ kind: 'connect' } satisfies ConnectMessage, [port1])
    contents.postMessage('shell', { kind: 'pagewalk:port', restarted } satisfies ShellMessage, [port2])
  }

  return {
    connect(contents) {
      if (!pages.has(contents)) {
        pages.add(contents)
        contents.once('destroyed', () => pages.delete(contents))
      }
      handOver(contents, false)
    },
    stop() {
      isStopping = true
      child?.kill()
    },
  }
}

const LOST = `The engine's process ended ${DEATHS_MAX + 1} times within a minute and is not started again. Your session is in the autosave.`

const tell = (contents: WebContents, message: ShellMessage): void => contents.postMessage('shell', message)
