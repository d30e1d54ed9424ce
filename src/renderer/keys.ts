/**
 * Every shortcut of the window, one row each; `?` shows this table. An action is a line of the palette (actions.ts).
 */

/** 'text': also while typing in a field; 'terminal': also there, where all other keys belong to the shell. */
export type KeyScope = 'page' | 'text' | 'terminal'

export interface KeyRow {
  /** 'Ctrl+K', 'Space', '.', 'Shift+F'; Ctrl also matches the command key of a Mac. */
  readonly keys: string
  readonly action: string
  readonly scope: KeyScope
}

const row = (keys: string, action: string, scope: KeyScope = 'page'): KeyRow => ({ keys, action, scope })

export const KEYS: readonly KeyRow[] = [
  row('Space', 'run-pause'),
  row('.', 'step-forward'),
  row(',', 'step-back'),
  row('1', 'step-event'),
  row('2', 'step-1ms'),
  row('3', 'step-10ms'),
  row('4', 'step-100ms'),
  row('5', 'step-1s'),
  row('R', 'reset'),
  row(']', 'speed-up'),
  row('[', 'speed-down'),
  row('Ctrl+K', 'palette', 'text'),
  row('Ctrl+Shift+P', 'palette', 'terminal'),
  row('?', 'key-map'),
  row('Ctrl+`', 'terminal', 'terminal'),
  row('F', 'follow'),
  row('T', 'table-twin'),
  row('+', 'map-zoom-in'),
  row('-', 'map-zoom-out'),
  row('G', 'map-go-to'),
  row('L', 'lab-1'),
  row('B', 'book'),
  row('D', 'dock'),
  row('Ctrl+O', 'open-session', 'text'),
  row('Ctrl+S', 'save-session', 'text'),
  row('Ctrl+Shift+S', 'save-session-as', 'text'),
  row('Alt+1', 'view-machine', 'terminal'),
  row('Alt+2', 'view-processes', 'terminal'),
  row('Alt+3', 'view-containers', 'terminal'),
  row('Alt+4', 'view-timeline', 'terminal'),
  row('Alt+5', 'view-oom', 'terminal'),
  row('Alt+6', 'view-terminal', 'terminal'),
  row('Alt+7', 'view-workbook', 'terminal'),
  row('Alt+8', 'view-buddy', 'terminal'),
  row('Alt+9', 'view-slab', 'terminal'),
  row('Alt+0', 'view-paging', 'terminal'),
  row('Alt+R', 'view-reclaim', 'terminal'),
  row('Alt+N', 'view-numa', 'terminal'),
  row('Alt+G', 'view-glossary', 'terminal'),
]

/** What of a keyboard event decides; a KeyboardEvent is one. */
export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  readonly shiftKey: boolean
}

/** Where the focus is while the key goes down. */
export type KeyPlace = 'page' | 'button' | 'text' | 'terminal'

const isLetter = (key: string): boolean => /^[a-z]$/i.test(key)

/** Whether the press is the combination. Signs that need Shift on some keyboards (`?`) match by the sign alone. */
export function isPressed(keys: string, press: KeyPress): boolean {
  const parts = keys === '+' ? ['+'] : keys.split('+')
  const key = parts.at(-1) ?? ''
  const wantsCtrl = parts.includes('Ctrl')
  const wantsShift = parts.includes('Shift')
  if ((press.ctrlKey || press.metaKey) !== wantsCtrl) return false
  if (press.altKey !== parts.includes('Alt')) return false
  if ((isLetter(key) || key.length > 1) && press.shiftKey !== wantsShift) return false
  if (key === 'Space') return press.key === ' '
  return press.key.toLowerCase() === key.toLowerCase()
}

function isHeard(row: KeyRow, place: KeyPlace): boolean {
  if (place === 'terminal') return row.scope === 'terminal'
  if (place === 'text') return row.scope !== 'page'
  // A focused button takes Space for itself.
  return !(place === 'button' && row.keys === 'Space')
}

/** The action of a key press, or undefined when the key is not ours there. */
export const actionOf = (press: KeyPress, place: KeyPlace): string | undefined =>
  KEYS.find((candidate) => isHeard(candidate, place) && isPressed(candidate.keys, press))?.action

/** The key that the palette shows beside an action. */
export const keysOf = (action: string): string => KEYS.find((candidate) => candidate.action === action)?.keys ?? ''

/** Where a key press lands. */
export function placeOf(target: EventTarget | null): KeyPlace {
  if (!(target instanceof HTMLElement)) return 'page'
  if (target.closest('.xterm')) return 'terminal'
  if (target.isContentEditable || target.matches('textarea, select')) return 'text'
  if (target instanceof HTMLInputElement) return /^(checkbox|radio|button|range)$/.test(target.type) ? 'button' : 'text'
  return target.closest('button, a, summary, [role="tab"], [role="menuitem"], [role="slider"]') ? 'button' : 'page'
}
