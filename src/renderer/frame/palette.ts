/** Which actions a query finds, best first. Pure. */

/** How well `text` answers the words: a start of the text beats a start of a word beats a place inside; 0 is not at all. */
function score(text: string, words: readonly string[]): number {
  const low = text.toLowerCase()
  let sum = 0
  for (const word of words) {
    const at = low.indexOf(word)
    if (at < 0) return 0
    sum += at === 0 ? 3 : /[\s:/.,-]/.test(low[at - 1] ?? '') ? 2 : 1
  }
  return sum
}

/** Every word of the query must be found in the title, the group or the detail. Equal scores keep their order. */
export function rankActions<A extends { title: string; group: string; detail?: string }>(
  actions: readonly A[],
  query: string,
): readonly A[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  if (words.length === 0) return actions
  return actions
    .map((action) => ({
      action,
      points: 2 * score(action.title, words) || score(`${action.title} ${action.group} ${action.detail ?? ''}`, words),
    }))
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
    .map(({ action }) => action)
}
