/** Draws a Markdown tree with Vue's own elements; no text is ever read as HTML. */
import type { FunctionalComponent, VNode } from 'vue'
import { h } from 'vue'
import type { Block, Inline } from './markdown'
import { meaningsOf, termsIn } from '../../../explain'
import { useTip } from '../../stores/tip'
import { useUi } from '../../stores/ui'
import { parseMarkdown } from './markdown'

/** The first mention of a term in a text, as a button that opens the glossary at it. */
function withTerms(text: string, known: Set<string>): (VNode | string)[] {
  const parts: (VNode | string)[] = []
  let at = 0
  for (const { term, start, end } of termsIn(text, known)) {
    const word = text.slice(start, end)
    const open = (): void => useTip().lookUp(term.name)
    parts.push(
      text.slice(at, start),
      h('button', { type: 'button', class: 'term', 'data-explain': term.name, onClick: open }, word),
    )
    at = end
  }
  return [...parts, text.slice(at)].filter((part) => part !== '')
}

/** @param known  terms that need no link any more: those of the text so far; undefined links none */
const inline = (children: readonly Inline[], known?: Set<string>): (VNode | string)[] =>
  children.flatMap((child) => {
    switch (child.kind) {
      case 'text':
        return known === undefined ? child.text : withTerms(child.text, known)
      case 'code':
        return h('code', meaningsOf(child.text).length > 0 ? { 'data-explain': child.text } : {}, child.text)
      case 'link':
        return h('a', { href: child.href, target: '_blank', rel: 'noopener noreferrer' }, inline(child.children))
      case 'view':
        return h(
          'button',
          { type: 'button', class: 'view-link', onClick: () => useUi().goTo(child.view) },
          inline(child.children),
        )
      default:
        return h(child.kind === 'strong' ? 'b' : 'em', inline(child.children, known))
    }
  })

function block(given: Block, known: Set<string>): VNode {
  switch (given.kind) {
    case 'heading':
      return h(`h${Math.min(6, given.level + 2)}`, inline(given.children))
    case 'code':
      return h('pre', given.text)
    case 'list':
      return h(
        given.isOrdered ? 'ol' : 'ul',
        given.items.map((item) => h('li', inline(item, known))),
      )
    case 'paragraph':
      return h('p', inline(given.children, known))
  }
}

export const MarkdownText: FunctionalComponent<{ text: string }> = ({ text }) => {
  const known = new Set<string>()
  return h(
    'div',
    { class: 'prose' },
    parseMarkdown(text).map((given) => block(given, known)),
  )
}
MarkdownText.props = ['text']
