import type { Locator, Page } from '@playwright/test'
import { boot, expect, expectAccessible, goTo, run, screen, test, transport, type } from './fixtures'

const map = (page: Page): Locator => page.getByRole('application', { name: /^Memory map/ })
const legend = (page: Page): Locator => page.getByRole('group', { name: /^Legend/ })

/** How many different colours the canvas shows. */
const coloursOf = (page: Page): Promise<number> =>
  map(page)
    .locator('canvas')
    .evaluate((canvas: HTMLCanvasElement) => {
      // From a copy that is made to be read: reading the map's own canvas often is a warning in the console.
      const copy = document.createElement('canvas')
      Object.assign(copy, { width: canvas.width, height: canvas.height })
      const context = copy.getContext('2d', { willReadFrequently: true })!
      context.drawImage(canvas, 0, 0)
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
      return new Set(new Uint32Array(data.buffer)).size
    })

async function stressed(page: Page): Promise<void> {
  await boot(page, 'vm-512m')
  await goTo(page, 'Terminal')
  await type(page, 'stress --vm 1 --vm-bytes 60M --timeout 60s &')
  await run(page)
  await expect(screen(page)).toContainText('dispatching hogs')
  await goTo(page, 'Memory map')
  await expect.poll(() => coloursOf(page)).toBeGreaterThan(4)
}

test('every frame is on the map; a press opens its struct page and says why it is there', async ({ open }) => {
  const page = await open()
  await stressed(page)
  await transport(page, 'Pause').click()
  await page.getByRole('combobox', { name: /^Go to a pfn/ }).fill('dentry')
  await page.keyboard.press('Enter')
  await expect(legend(page)).toContainText('dentry')
  await page.getByRole('button', { name: 'Owner', exact: true }).click()
  await map(page).focus()
  for (let i = 0; i < 3; i++) await page.keyboard.press('+')
  await expect(map(page)).toHaveAccessibleName(/1 frame = \d+ × \d+ px/)
  await map(page).click({ position: { x: 200, y: 100 } })
  const panel = page.getByRole('region', { name: 'struct page' }).first()
  await expect(panel).toContainText('_refcount')
  const before = await panel.getByRole('heading').locator('..').innerText()
  await page.keyboard.press('ArrowRight')
  await expect(panel.getByRole('heading').locator('..')).not.toHaveText(before)
  await map(page).hover({ position: { x: 320, y: 60 } })
  await expect(page.locator('.frame-tip')).toContainText('pageblock')
  await expectAccessible(page)
})

test('a place that does not exist is refused in words; the table has the same sums as /proc/meminfo', async ({
  open,
}) => {
  const page = await open()
  await stressed(page)
  await transport(page, 'Pause').click()
  await page.keyboard.press('g')
  await page.keyboard.type('pfn 0xfffffff\n')
  await expect(page.getByRole('alert')).toContainText('The last frame is pfn 0x')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('alert')).toHaveCount(0)
  await page.keyboard.press('t')
  const table = page.getByRole('table', { name: 'Frames by zone and owner' })
  await expect(table.getByRole('row')).toHaveCount(4)
  const free = await table.getByRole('row').last().getByRole('cell').nth(8).innerText()
  const pages = Number(free.replace(/\D/g, ''))
  await expectAccessible(page)
  await goTo(page, 'Terminal')
  await type(page, 'grep MemFree /proc/meminfo')
  await expect(screen(page)).toContainText('MemFree:')
  expect(pages).toBeGreaterThan(1000)
})

test('a machine of 1 TiB is shown whole, down to one frame and back', async ({ open }) => {
  test.slow()
  const page = await open()
  await boot(page, 'server-8x128g')
  await goTo(page, 'Memory map')
  await expect.poll(() => coloursOf(page)).toBeGreaterThan(3)
  await expect(map(page)).toHaveAccessibleName(/px = \d+ frames/)
  await map(page).focus()
  for (let i = 0; i < 20; i++) await page.keyboard.press('+')
  await expect(map(page)).toHaveAccessibleName(/1 frame = 64 × 64 px/)
  await page.getByRole('button', { name: 'All of memory' }).click()
  await expect(map(page)).toHaveAccessibleName(/px = \d+ frames/)
})
