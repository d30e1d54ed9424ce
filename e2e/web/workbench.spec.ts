import { boot, expect, expectAccessible, goTo, run, screen, seconds, test, transport, type, views } from './fixtures'

test('first start offers ready machines, an import and a lab, and previews what would boot', async ({ open }) => {
  const page = await open()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Start')
  const rows = page.getByRole('table', { name: 'Ready machines' }).getByRole('row')
  await expect.poll(() => rows.count()).toBeGreaterThanOrEqual(7)
  await rows.filter({ hasText: 'vm-512m' }).first().click()
  await expect(page.getByRole('table', { name: 'Zones after boot' })).toContainText('DMA32')
  await expectAccessible(page)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every view opens under pressure and is accessible, ${colorScheme}`, async ({ page, open }) => {
    test.slow() // nine views, each looked through by axe
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await open()
    await boot(page, 'vm-512m')
    await goTo(page, 'Terminal')
    await type(page, 'stress --vm 2 --vm-bytes 300M --timeout 20s &')
    await run(page)
    await expect(screen(page)).toContainText('dispatching hogs')
    for (const name of await views(page).evaluateAll((links) =>
      links.map((link) => link.firstChild?.textContent?.trim() ?? ''),
    )) {
      await goTo(page, name)
      await expect(page.getByRole('heading', { level: 1 })).toHaveText(name)
      await expectAccessible(page)
    }
  })
}

test('the palette finds every view, and the keys are listed', async ({ open }) => {
  const page = await open()
  await boot(page, 'vm-512m')
  await goTo(page, 'Terminal')
  // In a terminal Ctrl+K belongs to the shell: there the palette has a second key.
  await page.keyboard.press('Control+Shift+p')
  await expect(page.getByRole('dialog')).toBeVisible()
  await page.keyboard.press('Escape')
  await goTo(page, 'Timeline')
  await page.keyboard.press('Control+k')
  const palette = page.getByRole('dialog')
  await expect(palette).toBeVisible()
  await page.keyboard.type('containers')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Containers')
  await page.keyboard.press('?')
  await expect(page.getByRole('dialog')).toContainText('Ctrl')
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toHaveCount(0)
})

test('time steps, runs, pauses, goes back and starts again', async ({ open }) => {
  const page = await open()
  await boot(page, 'vm-512m')
  const now = (): Promise<number> => seconds(page)
  const booted = await now()
  await transport(page, '1 s').click()
  await expect.poll(now).toBeCloseTo(booted + 1, 6)
  const stepped = await now()
  await transport(page, 'Run').click()
  await expect.poll(now).toBeGreaterThan(stepped)
  await transport(page, 'Pause').click()
  const paused = await now()
  await transport(page, 'Step back').click()
  await expect.poll(now).toBeLessThan(paused)
  await transport(page, 'Reset').click()
  const sure = page.getByRole('dialog').getByRole('button', { name: /reset/i })
  await sure.click()
  await expect.poll(now).toBeCloseTo(booted, 6)
})
