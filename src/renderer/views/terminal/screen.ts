/**
 * One terminal's screen. It outlives the component that shows it: dock and view take turns in holding its element,
 * and what the shell prints meanwhile is on it when it comes back.
 */
import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { explainLinks, type ExplainEvents } from './explain-links'
import { readTokens } from '../../theme/tokens'
import { strictDocument, withStrictStyles } from './strict-document'
import { terminalTheme } from './terminal-theme'

const SCROLLBACK_LINES = 5000

export interface Screen {
  readonly id: number
  /** Puts the screen into a container. @returns takes it out again */
  attach(container: HTMLElement): () => void
  write(text: string): void
  clear(): void
  reset(): void
  focus(): void
  selection(): string
  paste(text: string): void
  paint(): void
  size(): { readonly columns: number; readonly rows: number }
  dispose(): void
}

export interface ScreenEvents extends ExplainEvents {
  readonly onInput: (text: string) => void
  readonly onResize: (size: { columns: number; rows: number }) => void
}

/** Keys that stay with the window or the browser although the terminal has the focus. */
function isForWindow(event: KeyboardEvent): boolean {
  if (event.altKey && /^[0-9gr]$/i.test(event.key)) return true
  if (!event.ctrlKey && !event.metaKey) return false
  const key = event.key.toLowerCase()
  return key === '`' || (event.shiftKey && (key === 'p' || key === 'v'))
}

export function createScreen(id: number, events: ScreenEvents): Screen {
  const token = readTokens()
  const holder = document.createElement('div')
  holder.className = 'screen'
  const terminal = new Terminal({
    fontFamily: token('--font-mono'),
    fontSize: 12,
    lineHeight: 1.25,
    scrollback: SCROLLBACK_LINES,
    convertEol: true,
    cursorStyle: 'block',
    cursorInactiveStyle: 'outline',
    theme: terminalTheme(token),
    documentOverride: strictDocument(document),
    macOptionIsMeta: true,
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  explainLinks(terminal, events)
  terminal.onData(events.onInput)
  terminal.onResize(({ cols, rows }) => events.onResize({ columns: cols, rows }))
  terminal.attachCustomKeyEventHandler((event) => {
    if (isForWindow(event)) return false
    const copies = event.ctrlKey && event.shiftKey && event.key.toLowerCase() === 'c'
    if (copies && event.type === 'keydown') {
      event.preventDefault()
      if (terminal.hasSelection()) void navigator.clipboard.writeText(terminal.getSelection())
    }
    return !copies
  })

  let isOpened = false
  function attach(container: HTMLElement): () => void {
    container.append(holder)
    if (!isOpened) withStrictStyles(document, () => terminal.open(holder))
    isOpened = true
    const refit = (): void => {
      if (holder.clientWidth > 0 && holder.clientHeight > 0) fit.fit()
    }
    const observer = new ResizeObserver(refit)
    observer.observe(container)
    refit()
    return () => {
      observer.disconnect()
      holder.remove()
    }
  }

  return {
    id,
    attach,
    write: (text) => terminal.write(text),
    clear: () => terminal.clear(),
    reset: () => terminal.reset(),
    focus: () => terminal.focus(),
    selection: () => terminal.getSelection(),
    paste: (text) => terminal.paste(text),
    paint: () => (terminal.options.theme = terminalTheme(readTokens())),
    size: () => ({ columns: terminal.cols, rows: terminal.rows }),
    dispose: () => terminal.dispose(),
  }
}
