/**
 * What Debian's two kernels are built with, as far as files about memory tell: the one for clouds leaves things out.
 * @spec 09 §9.1, §9.6
 */
import type { KernelState } from '../state'

/** @kernel CONFIG_ZSWAP */
export const hasZswap = (state: Pick<KernelState, 'config'>): boolean => !state.config.release.includes('cloud')
