/** What can be done to a group: each is a file written or a directory made, and a refusal comes with its reason. */
import { shallowRef } from 'vue'
import type { CgroupFrame } from '../../../protocol/messages'
import { useClient } from '../../client'
import { useFrames } from '../../stores/frames'
import { useUi } from '../../stores/ui'
import type { LimitFile } from './limits'
import { cgroupDir, cgroupFile, limitOf, spellLimit, writeLine } from './limits'
import { whyRefused } from './why-group'

export function useGroupWrites() {
  const client = useClient()
  const frames = useFrames()
  const ui = useUi()
  /** The last limit that was set, and what it was before. */
  const undoable = shallowRef<{ path: string; file: LimitFile; text: string } | undefined>()

  const find = (path: string): CgroupFrame | undefined => frames.cgroups.find((group) => group.path === path)

  /** @returns '' or why not */
  async function setLimit(path: string, file: LimitFile, text: string): Promise<string> {
    const group = find(path)
    const result = await client.request({ kind: 'writeFile', path: cgroupFile(path, file), text })
    if (!result.ok) return `${file}: ${text} is refused. ${whyRefused('limit', result.error, group)}`
    if (group) undoable.value = { path, file, text: spellLimit(limitOf(group, file)) }
    ui.say(writeLine(path, file, text))
    return ''
  }
  async function undo(): Promise<void> {
    const last = undoable.value
    if (last) await setLimit(last.path, last.file, last.text)
  }
  async function make(path: string): Promise<string> {
    const result = await client.request({ kind: 'mkdir', path: cgroupDir(path) })
    return result.ok ? '' : whyRefused('mkdir', result.error, undefined)
  }
  async function remove(path: string): Promise<string> {
    const result = await client.request({ kind: 'rmdir', path: cgroupDir(path) })
    return result.ok ? '' : `${path}: ${whyRefused('rmdir', result.error, find(path))}`
  }
  async function move(pid: number, path: string): Promise<string> {
    const result = await client.request({
      kind: 'writeFile',
      path: cgroupFile(path, 'cgroup.procs'),
      text: String(pid),
    })
    return result.ok ? '' : `pid ${pid} into ${path}: ${whyRefused('procs', result.error, find(path))}`
  }
  /** Hands memory down to `path`, from the top: every group above it needs it in cgroup.subtree_control. */
  async function enableMemory(path: string): Promise<string> {
    const parts = path.split('/').filter(Boolean).slice(0, -1)
    const above = ['/', ...parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)]
    for (const parent of above) {
      const result = await client.request({
        kind: 'writeFile',
        path: cgroupFile(parent, 'cgroup.subtree_control'),
        text: '+memory',
      })
      if (!result.ok) return `${parent}: ${whyRefused('subtree', result.error, find(parent))}`
    }
    return ''
  }
  return { undoable, setLimit, undo, make, remove, move, enableMemory }
}

export type GroupWrites = ReturnType<typeof useGroupWrites>
