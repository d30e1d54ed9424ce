/** Reads a token of the theme in force: for canvases, which CSS does not reach. Read again when the theme changes. */
export type TokenReader = (name: string) => string

export function readTokens(): TokenReader {
  const style = getComputedStyle(document.documentElement)
  return (name) => style.getPropertyValue(name).trim()
}
