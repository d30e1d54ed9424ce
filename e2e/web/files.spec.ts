import { readFileSync } from 'node:fs'
import { boot, clock, expect, seconds, test, transport } from './fixtures'

test('a session is saved, and opened again where it was', async ({ page, open }) => {
  // The browser's own dialogs cannot be driven: without them the page downloads and uploads.
  await page.addInitScript(() => {
    Object.assign(window, { showSaveFilePicker: undefined, showOpenFilePicker: undefined })
  })
  await open()
  await boot(page, 'vm-512m')
  const booted = await seconds(page)
  await transport(page, '100 ms').click()
  await expect.poll(() => seconds(page)).toBeCloseTo(booted + 0.1, 6)
  const time = await clock(page).innerText()
  const downloads = page.waitForEvent('download')
  await page.keyboard.press('Control+s')
  const path = await (await downloads).path()
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ format: 'pagewalk-session', version: 1 })

  await page.reload()
  const choosers = page.waitForEvent('filechooser')
  await page.keyboard.press('Control+o')
  await (
    await choosers
  ).setFiles({ name: 'again.pagewalk.json', mimeType: 'application/json', buffer: readFileSync(path) })
  await expect(clock(page)).toHaveText(time, { useInnerText: true })
})

test('a broken file is refused with its name and the machine goes on', async ({ page, open }) => {
  await page.addInitScript(() => {
    Object.assign(window, { showOpenFilePicker: undefined })
  })
  await open()
  await boot(page, 'vm-512m')
  const booted = await seconds(page)
  await transport(page, '10 ms').click()
  await expect.poll(() => seconds(page)).toBeCloseTo(booted + 0.01, 6)
  const time = await clock(page).innerText()
  const choosers = page.waitForEvent('filechooser')
  await page.keyboard.press('Control+o')
  await (
    await choosers
  ).setFiles({
    name: 'broken.json',
    mimeType: 'application/json',
    buffer: Buffer.from('{"format": "pagewalk-session", '),
  })
  await expect(page.getByRole('alert')).toContainText('broken.json')
  await expect(clock(page)).toHaveText(time, { useInnerText: true })
  await transport(page, '10 ms').click()
  await expect(clock(page)).not.toHaveText(time, { useInnerText: true })
})
