import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answerDialogs, callShell, expect, test } from './fixtures'

test('a file is saved where the dialog says, and again without a dialog', async ({ app, folder }) => {
  const path = join(folder, 'mine.json')
  await answerDialogs(app, path)
  const saved = await callShell(app.page, (api) => api.saveFile('machine', '{"first":true}'))
  expect(saved).toEqual({ ok: true, value: { path, name: 'mine.json' } })
  expect(readFileSync(path, 'utf8')).toBe('{"first":true}')

  await answerDialogs(app, undefined)
  const again = await app.page.evaluate(
    (known) => window.pagewalk?.saveFile('machine', '{"second":true}', { path: known }),
    path,
  )
  expect(again?.ok).toBe(true)
  expect(readFileSync(path, 'utf8')).toBe('{"second":true}')
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('a closed dialog is no error and touches nothing', async ({ app, folder }) => {
  await answerDialogs(app, undefined)
  expect(await callShell(app.page, (api) => api.saveFile('session', 'x'))).toEqual({ ok: true, value: undefined })
  expect(await callShell(app.page, (api) => api.openFile('session'))).toEqual({ ok: true, value: undefined })
  expect(readdirSync(folder).filter((name) => name.endsWith('.json'))).toEqual([])
})

test('a failed save leaves the old file whole and says what to do', async ({ app, folder }) => {
  const path = join(folder, 'taken')
  mkdirSync(path)
  writeFileSync(join(path, 'inside.txt'), 'kept')
  await answerDialogs(app, path)
  const result = await callShell(app.page, (api) => api.saveFile('export', 'text'))
  expect(result).toMatchObject({ ok: false, error: { where: 'taken', fix: 'Choose a file.' } })
  expect(readdirSync(folder)).not.toContain('taken.part')
  expect(readFileSync(join(path, 'inside.txt'), 'utf8')).toBe('kept')
})

test('a file is opened; a folder or a missing file is refused by name', async ({ app, folder }) => {
  const path = join(folder, 'kept.json')
  writeFileSync(path, '{"kept":1}')
  await answerDialogs(app, path)
  const opened = await callShell(app.page, (api) => api.openFile('session'))
  expect(opened).toEqual({ ok: true, value: { path, name: 'kept.json', text: '{"kept":1}' } })

  await answerDialogs(app, folder)
  expect(await callShell(app.page, (api) => api.openFile('session'))).toMatchObject({
    ok: false,
    error: { code: 'file/EISDIR' },
  })
  rmSync(path)
  await answerDialogs(app, path)
  expect(await callShell(app.page, (api) => api.openFile('session'))).toMatchObject({
    ok: false,
    error: { code: 'file/ENOENT' },
  })
})

test('recent files survive a restart, newest first, and open without a dialog; no other path does', async ({
  start,
  folder,
}) => {
  const first = await start()
  for (const name of ['a.json', 'b.json']) {
    await answerDialogs(first, join(folder, name))
    await callShell(first.page, (api) => api.saveFile('machine', '{}'))
  }
  await first.quit()

  const second = await start()
  const recent = await callShell(second.page, (api) => api.recent())
  expect(recent.map((file) => file.name)).toEqual(['b.json', 'a.json'])
  const opened = await callShell(second.page, async (api) => api.openFile('machine', (await api.recent())[0]!.path))
  expect(opened).toMatchObject({ ok: true, value: { name: 'b.json' } })

  writeFileSync(join(folder, 'secret.json'), '{}')
  const stolen = await second.page.evaluate(
    (path) => window.pagewalk?.openFile('machine', path),
    join(folder, 'secret.json'),
  )
  expect(stolen).toMatchObject({ ok: false, error: { code: 'file/not-chosen' } })
})

test('the autosave survives a kill of everything', async ({ start }) => {
  const first = await start()
  const text = 'x'.repeat(200_000)
  expect(await first.page.evaluate((long) => window.pagewalk?.autosave(long), text)).toMatchObject({ ok: true })
  await first.evaluate(() => process.kill(process.pid, 'SIGKILL'), undefined).catch(() => undefined)
  await first.ended

  const second = await start()
  const found = await callShell(second.page, (api) => api.openFile('autosave'))
  expect(found.ok && found.value?.text.length).toBe(text.length)
  await callShell(second.page, (api) => api.autosave(''))
  expect(await callShell(second.page, (api) => api.openFile('autosave'))).toEqual({ ok: true, value: undefined })
})
