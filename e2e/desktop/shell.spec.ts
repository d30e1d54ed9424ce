import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { answerDialogs, expect, enginePid, isAlive, listen, test } from './fixtures'

test('the window opens on our own scheme, with our menu', async ({ app }) => {
  await expect(app.page).toHaveTitle(/Pagewalk/)
  const labels = await app.evaluate(
    ({ Menu }) =>
      Menu.getApplicationMenu()?.items.flatMap((menu) => menu.submenu?.items.map((item) => item.label) ?? []),
    undefined,
  )
  expect(labels).toEqual(expect.arrayContaining(['Open…', 'Save', 'Save as…', 'Command palette…']))
})

test('the page gets one port, and the engine answers through it', async ({ app }) => {
  const heard = await listen(app.page)
  await expect.poll(async () => (await heard()).shell).toEqual([{ kind: 'pagewalk:port', restarted: false }])
  await expect.poll(async () => (await heard()).engine).toContain('reply')
})

test('a menu item reaches the page as an action', async ({ app }) => {
  const heard = await listen(app.page)
  await app.evaluate(({ Menu, BrowserWindow }) => {
    const items = Menu.getApplicationMenu()?.items.flatMap((menu) => menu.submenu?.items ?? [])
    const item = items?.find(({ label }) => label === 'Command palette…')
    item?.click(item as never, BrowserWindow.getAllWindows()[0] as never, {} as never)
  }, undefined)
  await expect.poll(async () => (await heard()).shell).toContainEqual({ kind: 'pagewalk:menu', action: 'palette' })
})

test('an engine that dies is started again, and the session comes back from the autosave', async ({ app, folder }) => {
  const { page } = app
  await page
    .getByRole('button', { name: /^Boot / })
    .first()
    .click()
  const clock = page.getByRole('timer', { name: 'Simulated time' })
  await expect(clock).toContainText('paused')
  const booted = await clock.innerText()
  await page.getByRole('button', { name: '100 ms', exact: true }).click()
  await expect(clock).not.toHaveText(booted, { useInnerText: true })
  const time = await clock.innerText()
  const path = join(folder, 'session.json')
  await answerDialogs(app, path)
  await page.keyboard.press('Control+s')
  await expect.poll(() => existsSync(path)).toBe(true)
  await page.evaluate((text) => window.pagewalk?.autosave(text), readFileSync(path, 'utf8'))

  const before = (await enginePid(app))!
  process.kill(before, 'SIGKILL')
  await expect(page.getByRole('alert')).toContainText('started again')
  await expect(clock).toHaveText(time, { useInnerText: true })
  expect(await enginePid(app)).not.toBe(before)
})

test('an engine that dies again and again is given up, and the page is told', async ({ app }) => {
  const heard = await listen(app.page)
  for (let deaths = 1; deaths <= 4; deaths++) {
    await expect.poll(() => enginePid(app)).toBeDefined()
    process.kill((await enginePid(app))!, 'SIGKILL')
    const told = deaths < 4 ? 'pagewalk:port' : 'pagewalk:engine-lost'
    const count = deaths < 4 ? deaths + 1 : 1
    await expect.poll(async () => (await heard()).shell.filter(({ kind }) => kind === told).length).toBe(count)
  }
  expect(await enginePid(app)).toBeUndefined()
})

test('closing the window ends everything, with status 0', async ({ app }) => {
  const pid = (await enginePid(app))!
  void app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close(), undefined).catch(() => undefined)
  expect(await app.ended).toBe(0)
  await expect.poll(() => isAlive(pid)).toBe(false)
})
