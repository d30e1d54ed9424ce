/** Puts a component onto a page of its own, over the made-up machine. */
import { createPinia, setActivePinia } from 'pinia'
import type { Component } from 'vue'
import { createApp, h } from 'vue'
import { CLIENT } from '../client'
import { vShell } from '../shell-line'
import { createFakeClient } from './fake-port'

export interface Mounted {
  readonly element: HTMLElement
  /** The first element that matches; a test without it fails here. */
  find<E extends Element = HTMLElement>(selector: string): E
  unmount(): void
}

export function mount(component: Component, props: Record<string, unknown>): Mounted {
  const element = document.createElement('div')
  document.body.append(element)
  const pinia = createPinia()
  const app = createApp({ render: () => h(component, props) })
  app.provide(CLIENT, createFakeClient()).use(pinia)
  app.directive('shell', vShell)
  setActivePinia(pinia)
  app.mount(element)
  return {
    element,
    find(selector) {
      const found = element.querySelector(selector)
      if (!found) throw new Error(`nothing matches ${selector} in ${element.innerHTML}`)
      return found as never
    },
    unmount() {
      app.unmount()
      element.remove()
    },
  }
}

/** A key press that bubbles as a real one does. */
export const press = (target: Element, key: string, held: KeyboardEventInit = {}): boolean =>
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...held }))
