/** Names side by side, for ls and for Tab. */

/** As ls shows names on a terminal: down, then across. */
export function inColumns(names: readonly string[], columns: number): string {
  const width = Math.max(1, ...names.map((name) => name.length)) + 2
  const across = Math.max(1, Math.floor(columns / width))
  const rows = Math.ceil(names.length / across)
  let text = ''
  for (let row = 0; row < rows; row++) {
    const cells = names.filter((_, index) => index % rows === row)
    text += `${cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(width))).join('')}\n`
  }
  return text
}
