/**
 * One line of /proc/<pid>/maps, which begins each part of smaps, too.
 * @kernel  fs/proc/task_mmu.c show_map_vma()
 * @spec    09 §9.8
 */
import { PAGE_SIZE } from '../../util/units'
import { VM_EXEC, VM_READ, VM_MAYSHARE, VM_WRITE, type Vma } from '../mm/mm_types'

const hex = (vpn: number): string => (vpn * PAGE_SIZE).toString(16).padStart(8, '0')

/** `start-end perms offset device:inode name`, the name in column 74. */
export function mapsLine(vma: Vma): string {
  const perms =
    (vma.flags & VM_READ ? 'r' : '-') +
    (vma.flags & VM_WRITE ? 'w' : '-') +
    (vma.flags & VM_EXEC ? 'x' : '-') +
    (vma.flags & VM_MAYSHARE ? 's' : 'p')
  const offset = (vma.ino === 0 ? 0 : vma.pgoff * PAGE_SIZE).toString(16).padStart(8, '0')
  const head = `${hex(vma.start)}-${hex(vma.end)} ${perms} ${offset} 00:${vma.ino === 0 ? '00' : '02'} ${vma.ino}`
  return vma.name === '' ? `${head} \n` : `${head.padEnd(72)} ${vma.name}\n`
}
