/** Names in a terminal's output that have an explanation: a line under the word while the pointer is on it. */
import type { IDisposable, ILink, Terminal } from '@xterm/xterm'
import { wordsIn, type KnownWord } from '../../../explain'

export interface ExplainEvents {
  /** The pointer came to a known name. @param box  of the word, in the window's pixels */
  readonly onWord: (word: KnownWord, box: { left: number; top: number; bottom: number }) => void
  readonly onLeave: () => void
}

export function explainLinks(terminal: Terminal, events: ExplainEvents): IDisposable {
  return terminal.registerLinkProvider({
    provideLinks(row, give) {
      const line = terminal.buffer.active.getLine(row - 1)?.translateToString(true) ?? ''
      give(wordsIn(line).map((word) => link(terminal, row, word, events)))
    },
  })
}

/** @param row  from 1, in the buffer with what has scrolled away */
function link(terminal: Terminal, row: number, word: KnownWord, events: ExplainEvents): ILink {
  return {
    range: { start: { x: word.start + 1, y: row }, end: { x: word.end, y: row } },
    text: word.name,
    decorations: { pointerCursor: false, underline: true },
    activate: () => undefined,
    hover: () => events.onWord(word, boxOf(terminal, row, word.start)),
    leave: events.onLeave,
  }
}

function boxOf(terminal: Terminal, row: number, column: number): { left: number; top: number; bottom: number } {
  const screen = terminal.element?.querySelector('.xterm-screen')?.getBoundingClientRect() ?? new DOMRect()
  const [width, height] = [screen.width / terminal.cols, screen.height / terminal.rows]
  const top = screen.top + (row - 1 - terminal.buffer.active.viewportY) * height
  return { left: screen.left + column * width, top, bottom: top + height }
}
