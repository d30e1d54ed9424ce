import type { Page } from '@playwright/test'
import { boot, expect, expectAccessible, goTo, run, screen, test, transport, type } from './fixtures'

async function stressed(page: Page): Promise<void> {
  await boot(page, 'vm-512m')
  await goTo(page, 'Terminal')
  await type(page, 'stress --vm 1 --vm-bytes 40M --vm-keep --timeout 600s &')
  await run(page)
  await expect(screen(page)).toContainText('dispatching hogs')
  await goTo(page, 'Paging')
  // Choosing a process looks at where it has most in memory: the worker's own, once it has touched some of it.
  const process = page.getByRole('combobox', { name: 'process' })
  await expect(async () => {
    await process.selectOption({ index: 0 })
    const workers = await process.locator('option').filter({ hasText: 'stress' }).all()
    await process.selectOption((await workers.at(-1)!.getAttribute('value'))!)
    await expect(page.getByRole('region', { name: 'End of the walk' })).toContainText('anonymous', { timeout: 1500 })
  }).toPass()
  await transport(page, 'Pause').click()
}

test('an address is walked from CR3 to its frame; fields, entries and mappings turn it', async ({ open }) => {
  const page = await open()
  await stressed(page)
  const address = page.getByRole('textbox', { name: 'address' })
  const end = page.getByRole('region', { name: 'End of the walk' })
  await expect(end).toContainText(/anonymous, (4 KiB|2 MiB)/)
  await expect(page.getByRole('region', { name: 'PGD table' })).toContainText('P W U A D')
  await expectAccessible(page)

  // By keyboard alone: the address is typed, a field is turned.
  const first = await address.inputValue()
  await page.getByRole('spinbutton', { name: 'PGD index' }).press('ArrowDown')
  await expect(page.getByRole('region', { name: 'PUD table' })).toHaveCount(0)
  await expect(end).toContainText('SEGV_MAPERR')
  await page.getByRole('spinbutton', { name: 'PGD index' }).press('ArrowUp')
  await expect(address).toHaveValue(first)
  await page.getByRole('listbox', { name: /Mappings/ }).press('End')
  await expect(page.getByRole('region', { name: 'Address', exact: true })).toContainText('[stack] + 0x0')
  await page
    .getByRole('list', { name: 'PGD entries around the one used' })
    .getByRole('button', { name: /entry 256/ })
    .click()
  await expect(page.getByRole('alert')).toContainText('is not canonical')
  await page.getByRole('button', { name: 'Make it canonical' }).click()
  await expect(page.getByText(/is in the kernel’s half/)).toBeVisible()
  await address.fill('0x7fzz')
  await address.press('Enter')
  await expect(page.getByRole('alert')).toContainText('is no address')
  await expectAccessible(page)

  await page.getByRole('button', { name: 'Table', exact: true }).click()
  const row = page.getByRole('table', { name: 'Mappings' }).getByRole('row').filter({ hasText: '[heap]' })
  await row.click()
  await expect(page.getByRole('region', { name: 'Address', exact: true })).toContainText('[heap] + 0x0')
  await expectAccessible(page)
})

test('a frame leads to its struct page, and from there back to the address that maps it', async ({ open }) => {
  const page = await open()
  await stressed(page)
  const address = page.getByRole('textbox', { name: 'address' })
  const first = await address.inputValue()
  const frame = page.getByRole('region', { name: 'End of the walk' }).getByRole('button', { name: /^pfn 0x/ })
  const pfn = (await frame.innerText()).slice(4)
  await frame.click()
  const panel = page.getByRole('region', { name: 'struct page' }).first()
  await expect(panel).toContainText(`pfn ${pfn}`)
  await expect(panel).toContainText(first)
  await panel.getByRole('button', { name: /^stress/ }).click()
  await expect(address).toHaveValue(first)

  // A process row leads here, too; a process that ends says so.
  await goTo(page, 'Processes')
  await page.getByRole('table', { name: 'Tasks' }).getByRole('row').filter({ hasText: 'stress' }).first().press('Enter')
  const process = page.getByRole('combobox', { name: 'process' })
  const pid = await process.inputValue()
  await goTo(page, 'Terminal')
  await type(page, `kill -9 ${pid}`)
  await run(page)
  await goTo(page, 'Paging')
  await expect(page.getByText(new RegExp(`pid ${pid} has exited`))).toBeVisible()
  await expectAccessible(page)
})

test('a touch is guessed, predicted and made; its decisions stand in order, and the walk has a before and an after', async ({
  open,
}) => {
  const page = await open()
  await stressed(page)
  const fault = page.getByRole('region', { name: 'Touch it' })
  // The stack's lowest page was never touched; all of this by keyboard.
  await page.getByRole('listbox', { name: /Mappings/ }).press('End')
  const end = page.getByRole('region', { name: 'End of the walk' })
  await expect(end).toContainText('page fault')
  await fault.getByRole('checkbox', { name: 'guess first' }).press('Space')
  await expect(fault.getByRole('list', { name: 'Decisions in order' })).toHaveCount(0)
  await expectAccessible(page)
  await fault.getByRole('button', { name: 'major fault' }).press('Enter')
  await expect(fault).toContainText('Not this time: minor fault.')
  const decisions = fault.getByRole('list', { name: 'Decisions in order' })
  await expect(decisions).toContainText('do_anonymous_page()')
  await expect(fault).toContainText('RssAnon +1')
  await fault.getByRole('button', { name: 'Touch', exact: true }).focus()
  await expect(page.locator('.status')).toContainText(/echo pid=\d+ address=0x[0-9a-f]+ access=write > .*touch/)
  await page.keyboard.press('Enter')
  await expect(end).toContainText('anonymous, 4 KiB')
  await expect(fault.getByRole('button', { name: 'Last touch' })).toHaveAttribute('aria-pressed', 'true')
  await expect(fault).toContainText('Minor fault')
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Before', exact: true }).press('Enter')
  await expect(end).toContainText('page fault')
  await page.getByRole('button', { name: 'After', exact: true }).press('Enter')
  await fault.getByRole('button', { name: 'Next', exact: true }).press('Enter')
  await fault.getByRole('button', { name: 'no fault' }).press('Enter')
  await expect(fault).toContainText('Right: no fault.')

  // Where nothing is mapped the process dies of it.
  await page.getByRole('textbox', { name: 'address' }).fill('0x10')
  await page.keyboard.press('Enter')
  await fault.getByRole('checkbox', { name: 'guess first' }).press('Space')
  await expect(fault).toContainText('SIGSEGV, SEGV_MAPERR')
  await expectAccessible(page)
})

test('the caches of a CPU stand beside the walk: where it starts, what was hit, how far the TLB reaches', async ({
  open,
}) => {
  const page = await open()
  await stressed(page)
  const tlb = page.getByRole('region', { name: 'TLB', exact: true })
  const counted = tlb.getByRole('table', { name: 'What the TLB counted' })
  await expect(tlb.getByRole('table', { name: 'Structures of the TLB' })).toContainText('L2 TLB 4K 2M')
  await expect(counted.getByRole('row', { name: /^loads and stores/ })).toContainText(/[1-9]/)
  await expect(page.getByRole('region', { name: 'TLB reach' })).toContainText('1536')
  const pte = page.getByRole('region', { name: 'PTE table' })
  await expect(pte).toContainText(/hit|TLB miss/)
  // On a CPU that never ran it there is nothing: the walk starts at the top.
  const choose = tlb.getByRole('combobox', { name: 'CPU whose TLB is shown' })
  const own = (await choose.locator('option').first().innerText()).includes('(0)') ? 0 : 1
  await choose.selectOption(String(1 - own))
  await expect(tlb).toContainText(`CPU ${1 - own}`)
  await expectAccessible(page)
  await choose.selectOption(String(own))
  // A touch leaves its translation behind.
  await page.getByRole('region', { name: 'Touch it' }).getByRole('button', { name: 'Touch', exact: true }).click()
  await expect(pte).toContainText('L1 DTLB hit')
  await expect(page.getByRole('region', { name: 'PGD table' })).toContainText('skipped')
  await page.getByRole('button', { name: 'Before', exact: true }).click()
  await expectAccessible(page)
})
