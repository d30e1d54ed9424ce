// A picture of every view in both themes, of a machine under pressure, into out/shots: to be looked at.
//   npm run shots -- [--machine TITLE] [--line 'stress …'] [--seconds 12] [--size 1440x900]
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from '@playwright/test'
import { chromiumLaunchOptions } from './browser.mjs'
import { serve } from './serve.mjs'

process.chdir(resolve(import.meta.dirname, '..'))
const { values } = parseArgs({
  options: {
    machine: { type: 'string', default: '512' },
    line: { type: 'string', default: 'stress --vm 2 --vm-bytes 300M --timeout 30s' },
    seconds: { type: 'string', default: '12' },
    size: { type: 'string', default: '1440x900' },
    theme: { type: 'string' },
  },
})
const [width, height] = values.size.split('x').map(Number)
const folder = 'out/shots'

async function shoot(browser, url, theme) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.on(
    'console',
    (message) => ['error', 'warning'].includes(message.type()) && console.error(`${theme}: ${message.text()}`),
  )
  page.on('pageerror', (error) => console.error(`${theme}: ${error.message}`))
  const shot = async (name) => {
    const path = `${folder}/${name}-${theme}.png`
    await page.screenshot({ path })
    console.log(path)
  }
  await page.goto(url)
  const row = page.getByRole('row', { name: new RegExp(values.machine) }).first()
  await row.click()
  await page.waitForTimeout(500)
  await shot('start')
  await page
    .getByRole('button', { name: /^Boot / })
    .first()
    .click()
  const views = page.getByRole('navigation', { name: 'Views' }).getByRole('link')
  await views.filter({ hasText: 'Terminal' }).click()
  await page.locator('.xterm textarea').first().focus()
  await page.keyboard.type(`${values.line} &\n`, { delay: 5 })
  const run = page.getByRole('button', { name: 'Run', exact: true })
  if (await run.isVisible()) await run.click()
  await page.waitForTimeout(Number(values.seconds) * 1000)
  for (let index = 0; index < (await views.count()); index++) {
    const view = views.nth(index)
    const name = (await view.evaluate((link) => link.firstChild.textContent)).trim().toLowerCase().replaceAll(' ', '-')
    await view.click()
    await page.waitForTimeout(1500)
    await shot(name)
  }
  await page.keyboard.press('Control+K')
  await page.waitForTimeout(300)
  await shot('palette')
  await context.close()
}

mkdirSync(folder, { recursive: true })
const server = await serve('out/web')
const browser = await chromium.launch(await chromiumLaunchOptions())
try {
  for (const theme of values.theme ? [values.theme] : ['dark', 'light']) await shoot(browser, server.url, theme)
} finally {
  await browser.close()
  await server.stop()
}
