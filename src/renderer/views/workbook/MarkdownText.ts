/** Draws a Markdown tree with Vue's own elements; no text is ever read as HTML. */
import type { FunctionalComponent, VNode } from 'vue'
import { h } from 'vue'
import type { Block, Inline } from './markdown'
import { useUi } from '../../stores/ui'
import { parseMarkdown } from './markdown'

const inline = (children: readonly Inline[]): (VNode | string)[] =>
  children.map((child) => {
    switch (child.kind) {
      case 'text':
        return child.text
      case 'code':
        return h('code', child.text)
      case 'link':
        return h('a', { href: child.href, target: '_blank', rel: 'noopener noreferrer' }, inline(child.children))
      case 'view':
        return h(
          'button',
          { type: 'button', class: 'view-link', onClick: () => useUi().goTo(child.view) },
          inline(child.children),
        )
      default:
        return h(child.kind === 'strong' ? 'b' : 'em', inline(child.children))
    }
  })

function block(given: Block): VNode {
  switch (given.kind) {
    case 'heading':
      return h(`h${Math.min(6, given.level + 2)}`, inline(given.children))
    case 'code':
      return h('pre', given.text)
    case 'list':
      return h(
        given.isOrdered ? 'ol' : 'ul',
        given.items.map((item) => h('li', inline(item))),
      )
    case 'paragraph':
      return h('p', inline(given.children))
  }
}

export const MarkdownText: FunctionalComponent<{ text: string }> = ({ text }) =>
  h('div', { class: 'prose' }, parseMarkdown(text).map(block))
MarkdownText.props = ['text']
