/** tr: characters for characters. */
import type { Tool } from '../process'
import { unescape } from '../printf'
import { readChunk } from '../stream'
import { fail, getOptions } from './options'

const CLASSES: Readonly<Record<string, string>> = {
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  alpha: 'A-Za-z',
  alnum: 'A-Za-z0-9',
  space: ' \\t\\n\\v\\f\\r',
  blank: ' \\t',
  punct: '!-/:-@[-`{-~',
}

/** `a-z`, `\n` and `[:digit:]` as the characters they stand for. */
function expandSet(text: string): string[] {
  const named = text.replace(/\[:(\w+):\]/g, (all, name: string) => CLASSES[name] ?? all)
  const characters = [...unescape(named)]
  const set: string[] = []
  for (let i = 0; i < characters.length; i++) {
    const from = characters[i] ?? ''
    const to = characters[i + 2]
    if (characters[i + 1] !== '-' || to === undefined || to < from) {
      set.push(from)
      continue
    }
    for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++) set.push(String.fromCharCode(code))
    i += 2
  }
  return set
}

export const tr: Tool = {
  name: 'tr',
  summary: 'translates or deletes characters',
  usage: 'tr [-cds] SET1 [SET2]',
  async run(context) {
    const { flags, operands } = await getOptions(context, 'cCdst')
    const [first, second] = operands
    if (first === undefined) return fail(context, 'missing operand')
    if (second === undefined && !flags.has('d') && !flags.has('s'))
      return fail(context, `missing operand after '${first}'\nTwo strings must be given when translating.`)
    const set = new Set(expandSet(first))
    const isComplement = flags.has('c') || flags.has('C')
    const isIn = (c: string): boolean => set.has(c) !== isComplement
    const target = second === undefined ? [] : expandSet(second)
    const list = [...expandSet(first)]
    const map = new Map(list.map((c, i) => [c, target[i] ?? target.at(-1) ?? '']))
    const translate = (c: string): string => (isComplement ? (isIn(c) ? (target.at(-1) ?? '') : c) : (map.get(c) ?? c))
    const squeezed = flags.has('s') ? new Set(second === undefined ? list : target) : new Set<string>()
    const squeezes = (c: string): boolean => (second === undefined ? flags.has('s') && isIn(c) : squeezed.has(c))
    let last = ''
    for (;;) {
      const chunk = await readChunk(context, context.fds.get(0))
      if (chunk === undefined) return 0
      let out = ''
      for (const c of chunk) {
        if (flags.has('d') && isIn(c)) continue
        const changed = second === undefined || flags.has('d') ? c : translate(c)
        if (changed === last && squeezes(changed)) continue
        last = changed
        out += changed
      }
      await context.print(out)
    }
  },
}
