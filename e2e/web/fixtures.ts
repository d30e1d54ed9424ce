/**
 * What every spec of the web edition starts from: the built pages on a server of their own, a page that must not log an
 * error nor reach for the network, and a check by axe.
 */
import { expect, test as base } from '@playwright/test'
import type { Locator, Page } from '@playwright/test'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { serve } from '../../scripts/serve.mjs'

interface Fixtures {
  /** Opens the web edition with `hash` in its address; every stored preference is as on first start. */
  readonly open: (hash?: string) => Promise<Page>
}

export const test = base.extend<Fixtures, { readonly site: string }>({
  site: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads the parameter's names
    async ({}, use) => {
      const server = await serve('out/web')
      await use(server.url)
      await server.stop()
    },
    { scope: 'worker' },
  ],
  page: async ({ page, site }, use) => {
    const complaints: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(`console ${message.type()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`))
    page.on('request', (request) => {
      const isOurs = [site, 'data:', 'blob:'].some((start) => request.url().startsWith(start))
      if (!isOurs) complaints.push(`network: ${request.url()}`)
    })
    await use(page)
    expect(complaints, 'the page logs no error and asks nobody but its own server').toEqual([])
  },
  open: async ({ page, site }, use) => {
    await use(async (hash = '') => {
      await page.goto(site + hash)
      return page
    })
  },
})

export { expect }

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface AxeNode {
  readonly html: string
  readonly failureSummary: string
}
interface AxeResults {
  readonly violations: readonly { readonly id: string; readonly help: string; readonly nodes: readonly AxeNode[] }[]
}

/** Names, roles and contrast of what is on the screen now, by axe's rules for WCAG 2 A and AA. */
export async function expectAccessible(page: Page, selector = 'body'): Promise<void> {
  await page.evaluate(axeSource)
  const results = await page.evaluate(async (within) => {
    const { axe } = globalThis as unknown as { axe: { run(root: string, options: object): Promise<AxeResults> } }
    return axe.run(within, { runOnly: ['wcag2a', 'wcag2aa'] })
  }, selector)
  const found = results.violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n  ${nodes
        .slice(0, 5)
        .map((node) => node.html.slice(0, 160))
        .join('\n  ')}`,
  )
  expect(found, 'nothing that axe objects to').toEqual([])
}

/** Chooses a ready machine on the first screen and boots it. */
export async function boot(page: Page, title: string): Promise<void> {
  await page.getByRole('table', { name: 'Ready machines' }).getByRole('row').filter({ hasText: title }).first().click()
  await page.getByRole('button', { name: `Boot ${title}` }).click()
  await expect(clock(page)).toContainText('paused')
}

export const clock = (page: Page): Locator => page.getByRole('timer', { name: 'Simulated time' })
/** Simulated seconds since boot; the clock groups its digits with thin blanks. */
export const seconds = async (page: Page): Promise<number> =>
  Number.parseFloat(
    (await clock(page).innerText()).replace(/[^\d.]/g, ' ').replace(/^ *(\d+\.\d+) (\d+) (\d+) .*$/s, '$1$2$3'),
  )

export const views = (page: Page): Locator => page.getByRole('navigation', { name: 'Views' }).getByRole('link')
/** The buttons of simulated time at the top. */
export const transport = (page: Page, name: string): Locator =>
  page.getByRole('toolbar', { name: 'Transport' }).getByRole('button', { name, exact: true })
export const goTo = (page: Page, view: string): Promise<void> => views(page).filter({ hasText: view }).click()

/** What stands on the terminal's screen, rows joined by line feeds. */
export const screen = (page: Page): Locator => page.locator('.xterm-rows').first()

/** Types a line into the large terminal, and lets time run. */
export async function type(page: Page, line: string): Promise<void> {
  await page
    .getByRole('textbox', { name: /terminal/i })
    .first()
    .focus()
  await page.keyboard.type(`${line}\n`)
}

export async function run(page: Page): Promise<void> {
  const button = transport(page, 'Run')
  if (await button.isVisible()) await button.click()
}
