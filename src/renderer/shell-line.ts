/**
 * v-shell="line": while its element is under the pointer or has the focus, the status bar shows the shell line
 * that the control is. A function is asked at that moment, so that the line carries the current value.
 */
import type { Directive } from 'vue'
import { useUi } from './stores/ui'

type Line = string | (() => string)
interface ShellElement extends HTMLElement {
  shellLine?: Line
  shellShown?: boolean
}

const textOf = (line: Line | undefined): string => (typeof line === 'function' ? line() : (line ?? ''))

export const vShell: Directive<ShellElement, Line> = {
  mounted(el, { value }) {
    el.shellLine = value
    const ui = useUi()
    const show = (): void => {
      el.shellShown = true
      ui.showShellLine(textOf(el.shellLine))
    }
    const hide = (): void => {
      el.shellShown = false
      ui.hideShellLine()
    }
    el.addEventListener('pointerenter', show)
    el.addEventListener('pointerleave', hide)
    el.addEventListener('focusin', show)
    el.addEventListener('focusout', hide)
  },
  updated(el, { value }) {
    el.shellLine = value
    if (el.shellShown) useUi().showShellLine(textOf(value))
  },
  unmounted(el) {
    if (el.shellShown) useUi().hideShellLine()
  },
}
