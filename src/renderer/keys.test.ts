import { expect, test } from 'vitest'
import type { KeyPress } from './keys'
import { KEYS, actionOf, isPressed, keysOf } from './keys'

const press = (key: string, held: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...held,
})

test('no combination stands in the table twice', () => {
  const all = KEYS.map((row) => row.keys)
  expect(new Set(all).size).toBe(all.length)
})

test('the question mark matches with and without Shift: keyboards differ', () => {
  expect(isPressed('?', press('?', { shiftKey: true }))).toBe(true)
  expect(isPressed('?', press('?'))).toBe(true)
})

test('the command key stands for Ctrl', () => expect(actionOf(press('k', { metaKey: true }), 'page')).toBe('palette'))
test('Ctrl+S and Ctrl+Shift+S differ', () => {
  expect(actionOf(press('s', { ctrlKey: true }), 'page')).toBe('save-session')
  expect(actionOf(press('S', { ctrlKey: true, shiftKey: true }), 'page')).toBe('save-session-as')
})
test('a digit typed into a field is a digit', () => expect(actionOf(press('1'), 'text')).toBeUndefined())
test('the terminal keeps Ctrl+K and gives back Ctrl+`', () => {
  expect(actionOf(press('k', { ctrlKey: true }), 'terminal')).toBeUndefined()
  expect(actionOf(press('`', { ctrlKey: true }), 'terminal')).toBe('terminal')
})
test('Space on a focused button presses the button', () => {
  expect(actionOf(press(' '), 'button')).toBeUndefined()
  expect(actionOf(press(' '), 'page')).toBe('run-pause')
})
test('an action without a key shows none', () => expect(keysOf('nothing')).toBe(''))
