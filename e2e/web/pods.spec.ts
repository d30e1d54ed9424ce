import { boot, clock, expect, expectAccessible, goTo, test } from './fixtures'

test('a manifest is looked at, refused with its line, mended, applied, and its pod stands in the tree', async ({
  open,
}) => {
  const page = await open()
  await boot(page, 'vm-512m')
  await goTo(page, 'Containers')
  await page.getByRole('button', { name: 'Import…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Import pods or compose services' })
  const plan = dialog.getByRole('table', { name: 'What the manifest makes' })
  await expect(plan).toContainText('Burstable')
  await expect(plan).toContainText('memory.max 288 MiB')
  await expectAccessible(page)

  const text = dialog.getByRole('textbox')
  const whole = await text.inputValue()
  await text.fill(whole.replace('288Mi', '288Mib'))
  await expect(dialog.getByRole('alert')).toContainText('line 12')
  await expect(dialog.getByRole('button', { name: 'Apply' })).toBeDisabled()
  await dialog.getByRole('button', { name: 'Show the line' }).click()
  expect(await page.evaluate(() => String(getSelection()))).toContain('288Mib')
  await text.fill(whole)
  await expect(dialog).toContainText('kubectl apply -f /root/orders.yaml')
  await dialog.getByRole('button', { name: 'Apply' }).click()
  await expect(dialog).toBeHidden()
  await expect(page.getByRole('region', { name: 'Control groups' })).toContainText('kubepods-burstable')
  await expect(page.locator('.xterm-rows').first()).toContainText('pod/orders created')
  await expect(clock(page)).toContainText('paused')
})
