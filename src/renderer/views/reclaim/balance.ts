/** The kernel's questions about anonymous and file pages with the numbers put in, as lines of text. Pure. */
import type { BalanceView, DeactivateView, GensView, TypeChoice } from '../../../protocol/reclaim'
import { formatCount } from '../../format'

export interface Line {
  readonly text: string
  /** What the line comes to: 'FILE', 'yes', 'FRACT'. */
  readonly result: string
  /** This line decides. */
  readonly decides: boolean
}

const n = formatCount

/** get_scan_count() question by question; the first whose answer is yes decides. */
export function questionLines(view: BalanceView): readonly Line[] {
  const answers: { text: string; yes: boolean; result: string }[] = [
    {
      text: `swap that may be used: ${n(view.swapPages)} pages`,
      yes: view.swapPages <= 0,
      result: 'none: FILE',
    },
  ]
  if (view.isLimit) {
    answers.push({
      text: `a group's limit, swappiness ${view.swappiness}`,
      yes: view.swappiness === 0,
      result: '0: FILE',
    })
  }
  if (view.tiny !== undefined) {
    const { file, free, high } = view.tiny
    const sign = file + free <= high ? '≤' : '>'
    answers.push({
      text: `file_is_tiny: file ${n(file)} + free ${n(free)} ${sign} Σ high ${n(high)}`,
      yes: view.fileIsTiny,
      result: 'ANON',
    })
  }
  answers.push({ text: trimText(view), yes: view.cacheTrim, result: 'FILE' })
  answers.push({ text: 'none of these: by the formula', yes: true, result: 'FRACT' })
  const first = answers.findIndex(({ yes }) => yes)
  return answers.map(({ text, yes, result }, at) => ({ text, result: yes ? result : 'no', decides: at === first }))
}

function trimText(view: BalanceView): string {
  const shifted = Math.floor(view.inactiveFile / 4096)
  const blocked = view.deactivate[1].may ? ', but active_file may shrink' : ''
  return `cache_trim_mode: inactive_file ${n(view.inactiveFile)} >> 12 = ${n(shifted)}${blocked}`
}

/** ap and fp with everything filled in. */
export function formulaLines(view: BalanceView): readonly Line[] {
  const { anonCost, fileCost, swappiness, anonShare, fileShare } = view
  const total = anonCost + fileCost
  const [a, f] = [total + anonCost, total + fileCost]
  const line = (text: string, result: number | string): Line => ({ text, result: String(result), decides: false })
  return [
    line(`total cost = anon ${n(anonCost)} + file ${n(fileCost)}`, n(total)),
    line(`A = total + anon cost; F = total + file cost`, `${n(a)}; ${n(f)}`),
    line(`ap = ${swappiness} × (${n(a + f)} + 1) / (${n(a)} + 1)`, n(anonShare)),
    line(`fp = (200 − ${swappiness}) × (${n(a + f)} + 1) / (${n(f)} + 1)`, n(fileShare)),
    line(`ap + fp`, n(anonShare + fileShare)),
  ]
}

/** Whether an active list is shrunk, in words. */
export function deactivateText(type: 'anon' | 'file', d: DeactivateView): string {
  if (d.refaults !== d.refaultsBefore)
    return `active_${type} may shrink: ${n(d.refaults - d.refaultsBefore)} refaults became active since the last run`
  const sum = `inactive ${n(d.inactive)} × ${d.ratio} ${d.isLow ? '<' : '≥'} active ${n(d.active)}`
  return d.isLow ? `active_${type} may shrink: ${sum}` : `active_${type} is left alone: ${sum}, no new refaults`
}

/** Share of pressure on anonymous pages at the first priority, 0 to 1. */
export function anonPart(view: BalanceView): number {
  const decided = questionLines(view).find(({ decides }) => decides)?.result ?? 'FRACT'
  if (decided === 'ANON') return 1
  if (decided.endsWith('FILE')) return 0
  return view.anonShare / Math.max(1, view.anonShare + view.fileShare)
}

const REASONS: Readonly<Record<TypeChoice['reason'], string>> = {
  'no-swap': 'swappiness 0, or no room in swap: anonymous pages are out of reach',
  'anon-older': 'the oldest anonymous generation is older than the oldest file generation',
  'swappiness-1': 'swappiness 1: file first',
  'swappiness-200': 'swappiness 200: anonymous first',
  feedback: 'by the feedback of refaults',
}

/** Why MGLRU would take from this type first. */
export const choiceText = ({ type, reason }: TypeChoice): string => `${type} first: ${REASONS[reason]}`

/** positive_ctrl_err() of tier 0 with its numbers. */
export function feedbackLines({ anon, file, swappiness }: TypeChoice): readonly Line[] {
  const line = (text: string, result: string, decides = false): Line => ({ text, result, decides })
  const few = file.refaulted < 64
  const left = file.refaulted * (anon.total + 64) * anon.gain
  const right = (anon.refaulted + 1) * file.total * file.gain
  return [
    line(`anon: refaulted ${n(anon.refaulted)} of ${n(anon.total)}, gain ${anon.gain}`, `swappiness ${swappiness}`),
    line(`file: refaulted ${n(file.refaulted)} of ${n(file.total)}, gain ${file.gain}`, `200 − ${swappiness}`),
    line(`file refaults < 64`, few ? 'yes: file' : 'no', few),
    line(
      `${n(file.refaulted)} × (${n(anon.total)} + 64) × ${anon.gain} ${left <= right ? '≤' : '>'} (${n(anon.refaulted)} + 1) × ${n(file.total)} × ${file.gain}`,
      left <= right ? 'file' : 'anon',
      !few,
    ),
  ]
}

/** Whether a new generation is due, in words. */
export function agingText({ aging, maxSeq, minSeq }: GensView): string {
  const { isDue, young, old, total } = aging
  const gens = maxSeq - Math.min(...minSeq) + 1
  if (isDue && gens < 3) return `aging is due: only ${gens} generations are left`
  if (isDue && young * 2 > total) return `aging is due: the youngest holds ${n(young)} of ${n(total)} pages, over half`
  if (isDue) return `aging is due: too few cold pages, ${n(old)} × 4 < ${n(total)}`
  return gens > 3 ? 'no aging: an older generation is still there' : `no aging: ${n(old)} cold pages of ${n(total)}`
}
