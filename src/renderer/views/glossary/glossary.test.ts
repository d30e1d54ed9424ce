// @vitest-environment happy-dom
import { afterEach, expect, test } from 'vitest'
import { nextTick } from 'vue'
import ExplainTip from '../../frame/ExplainTip.vue'
import { useTip } from '../../stores/tip'
import { useUi } from '../../stores/ui'
import type { Mounted } from '../../testing/mount'
import { mount } from '../../testing/mount'
import { MarkdownText } from '../workbook/MarkdownText'
import { glossaryRows, NAMES_MAX, relatedTerms } from './rows'

let shown: Mounted | undefined
afterEach(() => shown?.unmount())

test('without a search all terms are listed, and with one the lines of files, too', () => {
  expect(glossaryRows('').every(({ where }) => where === '')).toBe(true)
  expect(glossaryRows('swappiness').map(({ name, where }) => `${name} ${where}`)).toEqual(
    expect.arrayContaining(['swappiness ', 'swappiness /proc/sys/vm']),
  )
  expect(glossaryRows('vm.swappiness').map(({ where }) => where)).toContain('/proc/sys/vm')
  expect(glossaryRows('p').filter(({ where }) => where !== '')).toHaveLength(NAMES_MAX)
  expect(glossaryRows('no such thing')).toEqual([])
})

test('a term leads to those that its text speaks of, never to itself', () => {
  const row = glossaryRows('').find(({ name }) => name === 'kswapd')!
  const names = relatedTerms(row).map(({ name }) => name)
  expect(names).toContain('kernel thread')
  expect(names).not.toContain('kswapd')
})

test('a text links the first mention of a term, and its button opens the glossary there', async () => {
  shown = mount(MarkdownText, { text: 'A refault is bad.\n\n- another refault in `pgscan_direct`' })
  const terms = [...shown.element.querySelectorAll<HTMLElement>('.term')]
  expect(terms.map((term) => term.textContent)).toEqual(['refault'])
  expect(shown.element.querySelector('code')?.dataset['explain']).toBe('pgscan_direct')
  terms[0]!.click()
  await nextTick()
  expect([useUi().view, useTip().picked]).toEqual(['glossary', 'refault'])
})

test('focus on an explained word shows what it means, and Escape takes it away', async () => {
  shown = mount(ExplainTip, {})
  const word = document.createElement('button')
  word.dataset['explain'] = 'MemAvailable'
  document.body.append(word)
  word.focus()
  await nextTick()
  const text = (): string => document.querySelector('[role="tooltip"]')?.textContent ?? ''
  expect(text()).toContain('without swapping')
  document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))
  await nextTick()
  expect(text()).toBe('')
  word.remove()
})
