import { boot, expect, expectAccessible, goTo, run, screen, test, transport, type } from './fixtures'

test('where pages are, moving them, balancing switched by its file, a bound node that is short', async ({ open }) => {
  const page = await open()
  await boot(page, 'numa-2x4g')
  await goTo(page, 'Terminal')
  await run(page)
  await type(page, 'numactl --membind=1 --cpunodebind=0 mm hog mb=64 hold=-1 > /dev/null & sleep 1; echo "at $((6 * 7))"')
  await expect(screen(page)).toContainText('at 42', { timeout: 30_000 })
  await goTo(page, 'NUMA')
  const pages = page.getByRole('table', { name: 'Pages of processes by node' })
  const hog = pages.getByRole('row').filter({ hasText: /^mm \d+/ })
  await expect(hog).toContainText('bind:1')
  await expect(hog).toContainText('100 %')
  await expect(page.getByRole('img', { name: /^Node 1: anon/ })).toBeVisible()

  // Chosen: what is remote would come to where the process runs.
  await hog.getByRole('button').click()
  await expect(page.getByRole('combobox', { name: 'from node' })).toHaveValue('1')
  await expect(page.getByRole('combobox', { name: 'to node' })).toHaveValue('0')
  await page.getByRole('button', { name: 'Move', exact: true }).click()
  await expect(hog).toContainText(/6\d(\.\d)? MiB0 B|6\d(\.\d)? MiB/, { timeout: 30_000 })
  await expect(hog).not.toContainText('100 %')

  await page.getByRole('button', { name: 'Off', exact: true }).click()
  await expect(page.getByRole('button', { name: 'Off', exact: true })).toHaveAttribute('aria-pressed', 'true')
  await transport(page, 'Pause').click()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Table', exact: true }).click()
  await expect(page.getByRole('table', { name: 'Nodes', exact: true })).toContainText('0 → 1')
  await expect(page.getByRole('table', { name: 'Allocations by node since boot' })).toContainText('numa_foreign')
  await expectAccessible(page)
})
