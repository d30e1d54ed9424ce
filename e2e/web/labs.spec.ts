/** Every lab, walked in the page as a student would: buttons, questions, the terminal, until all steps are done. */
import { readFileSync, readdirSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { expect, expectAccessible, goTo, run, screen, test, type } from './fixtures'

interface Step {
  readonly id: string
  readonly kind: string
  readonly command?: string
  readonly answer?: string
  readonly solution?: string
}
interface Lab {
  readonly title: string
  readonly steps: readonly Step[]
}

const FOLDER = 'resources/labs'
const labs = readdirSync(FOLDER).map(
  (name): Lab => JSON.parse(readFileSync(`${FOLDER}/${name}/lab.json`, 'utf8')) as Lab,
)

const book = (page: Page): ReturnType<Page['locator']> => page.getByRole('region', { name: 'Workbook', exact: true })

/** What a script prints, read off the screen between two marks that no command line has, and no other step's answer. */
async function printed(page: Page, step: Step): Promise<string> {
  const mark = `${step.id}=`
  await type(page, `answer() { ${step.solution!}\n}; clear; echo "${mark}$(answer)."`)
  const answer = new RegExp(`${mark}([^.$]+)\\.`)
  const text = (): Promise<string> => screen(page).innerText()
  // What was started before may still sleep.
  await expect.poll(text, { timeout: 45_000 }).toMatch(answer)
  return answer.exec(await text())![1]!.trim()
}

async function take(page: Page, step: Step): Promise<void> {
  const panel = book(page)
  if (step.kind === 'prediction') {
    await panel.getByRole('radio', { name: step.answer!, exact: true }).check()
    await panel.getByRole('button', { name: 'Lock in', exact: true }).click()
  } else if (step.kind === 'number') {
    await panel.getByRole('textbox', { name: 'Your number' }).fill(await printed(page, step))
    await panel.getByRole('button', { name: 'Compare', exact: true }).click()
  } else if (step.kind === 'command') await panel.getByRole('button', { name: 'Run', exact: true }).click()
  else if (step.kind === 'check') await type(page, step.solution!)
  else await panel.getByRole('button', { name: 'Read on', exact: true }).click()
}

for (const lab of labs) {
  test(`the lab "${lab.title}" is walked to its end`, async ({ open }) => {
    test.slow()
    const page = await open()
    await goTo(page, 'Workbook')
    await page.getByRole('table', { name: 'Labs' }).getByRole('row').filter({ hasText: lab.title }).click()
    await page.getByRole('button', { name: 'Begin', exact: true }).click()
    await goTo(page, 'Terminal')
    await run(page)
    for (const [index, step] of lab.steps.entries()) {
      await expect(book(page).getByRole('heading', { name: `Step ${index + 1}`, exact: true })).toBeAttached()
      await take(page, step)
      await expect(book(page), step.id).toContainText(
        index + 1 < lab.steps.length
          ? `${index + 1} of ${lab.steps.length} steps`
          : `All ${lab.steps.length} steps are done`,
        { timeout: 45_000 },
      )
    }
    await expectAccessible(page)
    await goTo(page, 'Workbook')
    await expect(
      page.getByRole('table', { name: 'Labs' }).getByRole('row').filter({ hasText: lab.title }),
    ).toContainText('done')
  })
}
