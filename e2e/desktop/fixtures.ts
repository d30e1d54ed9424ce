/** One desktop app per spec, with user data of its own, and an ear on what the shell and the engine tell the page. */
import { expect, test as base } from '@playwright/test'
import type { Page } from '@playwright/test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ShellApi, ShellMessage } from '../../src/protocol/shell-api'
import { launch, runtime } from '../launch'
import type { DesktopApp } from '../launch'

interface Fixtures {
  /** A folder for this spec alone. */
  readonly folder: string
  readonly start: () => Promise<DesktopApp>
  readonly app: DesktopApp
}

export const test = base.extend<Fixtures>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the parameter's names
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'pagewalk-e2e-'))
    await use(folder)
    rmSync(folder, { recursive: true, force: true })
  },
  start: async ({ folder }, use) => {
    const started: DesktopApp[] = []
    await use(async () => {
      const app = await launch(join(folder, 'user-data'))
      started.push(app)
      return app
    })
    for (const app of started) await app.quit()
  },
  app: async ({ start }, use) => {
    await use(await start())
  },
})

export { expect }

test.beforeAll(() => console.log(`Desktop specs run on ${runtime}`))

/** What `listen` collects in the page. */
export interface Heard {
  readonly shell: readonly ShellMessage[]
  /** Kinds of the engine's messages: 'reply', 'status', 'frame' … */
  readonly engine: readonly string[]
}

/** Loads the page again with an ear on its messages. */
export async function listen(page: Page): Promise<() => Promise<Heard>> {
  await page.addInitScript(() => {
    const heard = { shell: [] as ShellMessage[], engine: [] as string[] }
    Object.assign(globalThis, { heard })
    window.addEventListener('message', (event) => {
      if (!String(event.data?.kind).startsWith('pagewalk:')) return
      heard.shell.push(event.data)
      event.ports[0]?.addEventListener('message', ({ data }) => heard.engine.push(data.kind ?? 'reply'))
    })
  })
  await page.reload()
  return () => page.evaluate(() => (globalThis as unknown as { heard: Heard }).heard)
}

/** Calls one of the five functions as the page would. */
export const callShell = <R>(page: Page, call: (api: ShellApi) => R): Promise<Awaited<R>> =>
  page.evaluate(`(${call.toString()})(window.pagewalk)`)

/** The next dialog is answered with this path, or closed. */
export const answerDialogs = (app: DesktopApp, path: string | undefined): Promise<void> =>
  app.evaluate(({ dialog }, answer) => {
    const canceled = answer === undefined
    dialog.showOpenDialog = () => Promise.resolve({ canceled, filePaths: canceled ? [] : [answer] })
    dialog.showSaveDialog = () => Promise.resolve({ canceled, filePath: answer ?? '' })
  }, path)

/** The engine's process. */
export const enginePid = (app: DesktopApp): Promise<number | undefined> =>
  app.evaluate(
    ({ app: electronApp }) => electronApp.getAppMetrics().find(({ name }) => name?.endsWith('engine'))?.pid,
    undefined,
  )

export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
