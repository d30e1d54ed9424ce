/** The terminal's colours out of the theme's tokens. Pure but for the token reader that it is given. */
import type { ITheme } from '@xterm/xterm'

export function terminalTheme(token: (name: string) => string): ITheme {
  const [paper, ink, quiet] = [token('--s-0'), token('--t-1'), token('--t-3')]
  const hues = {
    black: paper,
    red: token('--danger-ink'),
    green: token('--ok-ink'),
    yellow: token('--warn-ink'),
    blue: token('--o-file'),
    magenta: token('--k-memcg'),
    cyan: token('--k-kswapd'),
    white: token('--t-2'),
  }
  return {
    background: paper,
    foreground: ink,
    cursor: ink,
    cursorAccent: paper,
    selectionBackground: token('--s-select'),
    ...hues,
    brightBlack: quiet,
    brightRed: hues.red,
    brightGreen: hues.green,
    brightYellow: hues.yellow,
    brightBlue: hues.blue,
    brightMagenta: hues.magenta,
    brightCyan: hues.cyan,
    brightWhite: ink,
  }
}
