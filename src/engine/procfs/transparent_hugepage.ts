/**
 * /sys/kernel/mm/transparent_hugepage: what huge pages are set to.
 * @kernel  mm/huge_memory.c, mm/khugepaged.c (sysfs attributes)
 * @spec    08 §8.6
 */
import type { Errno } from '../../util/errno'
import { HPAGE_PAGES, PAGE_SIZE } from '../../util/units'
import type { ThpMode } from '../config'
import { khugepagedMinFree } from '../mm/watermark'
import type { KernelState } from '../state'
import type { PseudoFile } from './types'

const THP_MODES: readonly ThpMode[] = ['always', 'madvise', 'never']
const DEFRAG_MODES = ['always', 'defer', 'defer+madvise', 'madvise', 'never'] as const

const bracketed = (modes: readonly string[], current: string): string =>
  `${modes.map((m) => (m === current ? `[${m}]` : m)).join(' ')}\n`

function writeEnabled(state: KernelState, text: string): Errno | undefined {
  const mode = THP_MODES.find((m) => m === text.trim())
  if (mode === undefined) return 'EINVAL'
  state.thpEnabled = mode
  // Every write runs khugepaged's start or stop, which sets min_free_kbytes (spec 01 §1.6).
  khugepagedMinFree(state)
  return undefined
}

function writeDefrag(state: KernelState, text: string): Errno | undefined {
  const mode = DEFRAG_MODES.find((m) => m === text.trim())
  if (mode === undefined) return 'EINVAL'
  state.thpDefrag = mode
  return undefined
}

/** @kernel mm/huge_memory.c single_hugepage_flag_store() */
function writeUseZeroPage(state: KernelState, text: string): Errno | undefined {
  const word = text.trim()
  if (word !== '0' && word !== '1') return 'EINVAL'
  state.thp.useZeroPage = Number(word)
  return undefined
}

/** By name in the directory. */
export const THP_FILES: Readonly<Record<string, PseudoFile>> = {
  enabled: { read: (state) => bracketed(THP_MODES, state.thpEnabled), write: writeEnabled },
  defrag: { read: (state) => bracketed(DEFRAG_MODES, state.thpDefrag), write: writeDefrag },
  use_zero_page: { read: (state) => `${state.thp.useZeroPage}\n`, write: writeUseZeroPage },
  hpage_pmd_size: { read: () => `${HPAGE_PAGES * PAGE_SIZE}\n` },
}
