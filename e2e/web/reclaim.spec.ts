import type { Page } from '@playwright/test'
import { boot, expect, expectAccessible, goTo, run, screen, test, transport, type } from './fixtures'

/** A machine on which kswapd and tasks have reclaimed, and stands still. */
async function reclaimed(page: Page, first: string): Promise<void> {
  await boot(page, 'vm-512m')
  await goTo(page, 'Terminal')
  await run(page)
  await type(page, `${first}; mm hog mb=700 | tail -n 1 > done.txt; echo "hog $?"`)
  await expect(screen(page)).toContainText('hog 0', { timeout: 60_000 })
  await transport(page, 'Pause').click()
  await goTo(page, 'Reclaim')
}

test('the classic lists, the runs with their passes, the formula, and swappiness as a slider', async ({ open }) => {
  const page = await open()
  await reclaimed(page, 'echo 0 > /sys/kernel/mm/lru_gen/enabled')
  await expect(page.getByRole('img', { name: /inactive_anon \d+.* pages/ })).toBeVisible()
  const runs = page.getByRole('table', { name: 'Runs of reclaim' })
  await expect(runs.getByRole('row').filter({ hasText: 'kswapd0' }).first()).toBeVisible()
  await runs.getByRole('row').filter({ hasText: 'kswapd0' }).first().click()
  await expect(page.getByText(/kswapd of node 0 works until a zone is above high/)).toBeVisible()
  await expect(page.getByRole('table', { name: 'Passes of this run' }).getByRole('row')).not.toHaveCount(1)
  await expect(page.getByRole('table', { name: 'Decisions of kswapd, latest first' })).toContainText('woken by mm')

  // The slider writes the file, and the formula shows it at once, although the machine stands.
  const formula = page.getByRole('table', { name: 'The formula' })
  await expect(formula).toContainText('ap = 60 ×')
  await page.getByRole('slider', { name: 'vm.swappiness' }).press('End')
  await expect(formula).toContainText('ap = 200 ×')
  await expect(formula).toContainText('fp = (200 − 200) ×')
  await expectAccessible(page)

  // The diagnosis: evidence with commands, and a verdict that is not that nothing happened.
  await page.getByRole('button', { name: 'Why is kswapd busy?' }).click()
  await page.getByRole('button', { name: '60 s', exact: true }).click()
  await expect(page.getByRole('table', { name: 'Evidence' })).toContainText('freed of what was scanned')
  await expect(page.getByRole('region', { name: 'Verdict' })).toContainText('%')
  await expect(page.getByRole('region', { name: 'Verdict' })).not.toContainText('nothing to do')
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Lists', exact: true }).click()

  await page.getByRole('button', { name: 'Table', exact: true }).click()
  await expect(page.getByRole('table', { name: 'Lists and moves' })).toContainText('second chance')
  await page.getByRole('combobox', { name: 'Group' }).selectOption('/user.slice')
  await page.getByRole('button', { name: 'Own limit', exact: true }).click()
  await expect(page.getByRole('table', { name: "Questions in the kernel's order" })).toContainText("a group's limit")
  await expectAccessible(page)
})

test('the generations of MGLRU with tiers and the feedback', async ({ open }) => {
  const page = await open()
  await reclaimed(page, 'true')
  await expect(page.getByRole('img', { name: /generation youngest/ })).toBeVisible()
  await expect(page.getByRole('table', { name: 'Tiers of the oldest generation' })).toContainText('anon evicted')
  await expect(page.getByRole('table', { name: 'The feedback of tier 0' })).toContainText('file refaults < 64')
  await expectAccessible(page)
})
