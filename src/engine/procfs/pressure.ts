/**
 * /proc/pressure/memory.
 * @kernel  kernel/sched/psi.c psi_show()
 * @spec    05 §5.15, 09
 */
import { formatPressure, type PsiGroup } from '../mm/psi'
import type { KernelState } from '../state'

/** Two lines, some and full. */
export const pressureText = (state: KernelState, group: PsiGroup = state.psi): string => formatPressure(state, group)
