/**
 * Starts the built desktop edition for a spec: on real Electron where its runtime is, else on the emulation. The specs
 * are the same for both, and the run says which one it was.
 */
import { _electron, chromium } from '@playwright/test'
import type { Page } from '@playwright/test'
import type * as Electron from 'electron'
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { electronBinary } from '../scripts/electron-runtime.mjs'

export interface DesktopApp {
  readonly page: Page
  /** Runs a self-contained function in the main process. */
  evaluate<R, A>(work: (electron: typeof Electron, arg: A) => R | Promise<R>, arg: A): Promise<R>
  /** Resolves with the exit status of the main process. */
  readonly ended: Promise<number>
  quit(): Promise<void>
}

const binary = electronBinary()
export const runtime = binary === undefined ? "an emulation of Electron's API (its runtime is not here)" : binary

export const launch = (userData: string): Promise<DesktopApp> =>
  binary === undefined ? launchEmulation(userData) : launchElectron(binary, userData)

async function launchElectron(executablePath: string, userData: string): Promise<DesktopApp> {
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const app = await _electron.launch({ executablePath, args: ['.', `--user-data-dir=${userData}`, ...asRoot] })
  const child = app.process()
  const ended = new Promise<number>((done) => child.once('exit', (code) => done(code ?? 1)))
  const page = await app.firstWindow()
  return {
    page,
    evaluate: (work, arg) => app.evaluate(work as never, arg as never) as never,
    ended,
    quit: () => app.close(),
  }
}

const freePort = (): Promise<number> =>
  new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => done(port))
    })
  })

async function launchEmulation(userData: string): Promise<DesktopApp> {
  const port = await freePort()
  const run = resolve('e2e/harness/run.mjs')
  const child = fork(run, [String(port), 'out/main/main.js', `--user-data-dir=${userData}`], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = new Promise<number>((done) => child.once('exit', (code) => done(code ?? 1)))
  await new Promise<void>((ready, failed) => {
    child.once('message', () => ready())
    void ended.then((code) => failed(new Error(`the main process ended with ${code} before it was ready`)))
  })
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`)
  let page: Page | undefined
  while (page === undefined) {
    page = browser
      .contexts()
      .flatMap((context) => context.pages())
      .find((found) => found.url() !== 'about:blank')
    if (page === undefined) await new Promise((again) => setTimeout(again, 20))
  }
  await page.waitForLoadState('load')
  return {
    page,
    evaluate: (work, arg) => evaluateIn(child, work.toString(), arg) as never,
    ended,
    async quit() {
      if (child.connected) void evaluateIn(child, '({ app }) => app.quit()', undefined).catch(() => undefined)
      await ended
      await browser.close().catch(() => undefined)
    },
  }
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

let nextId = 1

function evaluateIn(child: ChildProcess, source: string, arg: unknown): Promise<unknown> {
  const id = nextId++
  return new Promise((done, failed) => {
    const settle = (finish: () => void): void => {
      child.off('message', onMessage)
      child.off('exit', onExit)
      finish()
    }
    const onExit = (): void => settle(() => failed(new Error('the main process ended')))
    const onMessage = (answer: Answer): void => {
      if (answer.id !== id) return
      settle(() => (answer.error === undefined ? done(answer.value) : failed(new Error(answer.error))))
    }
    child.on('message', onMessage)
    child.on('exit', onExit)
    child.send({ id, source, arg })
  })
}
