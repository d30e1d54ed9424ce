/** The machine as it is now: the last frame that the session sent. Arrays are replaced, never changed. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { CgroupFrame, Frame, FrameSection, TaskFrame, ZoneFrame } from '../../protocol/messages'
import { useClient } from '../client'

export const ALL_SECTIONS: readonly FrameSection[] = ['zones', 'tasks', 'cgroups', 'pressure', 'swap']

export const useFrames = defineStore('frames', () => {
  const client = useClient()
  const atNs = shallowRef(0)
  const zones = shallowRef<readonly ZoneFrame[]>([])
  const cpus = shallowRef<NonNullable<Frame['cpus']>>([])
  const tasks = shallowRef<readonly TaskFrame[]>([])
  const cgroups = shallowRef<readonly CgroupFrame[]>([])
  const swap = shallowRef<NonNullable<Frame['swap']>>([])
  const pressure = shallowRef<NonNullable<Frame['pressure']>>({ some: [], full: [] })

  const populatedZones = computed(() => zones.value.filter((zone) => zone.managed > 0))
  const userTasks = computed(() => tasks.value.filter((task) => !task.isKthread))

  client.on((event) => {
    if (event.kind !== 'frame') return
    const frame = event.frame
    atNs.value = frame.atNs
    if (frame.zones) zones.value = frame.zones
    if (frame.cpus) cpus.value = frame.cpus
    if (frame.tasks) tasks.value = frame.tasks
    if (frame.cgroups) cgroups.value = frame.cgroups
    if (frame.swap) swap.value = frame.swap
    if (frame.pressure) pressure.value = frame.pressure
  })

  const subscribe = (sections: readonly FrameSection[] = ALL_SECTIONS): Promise<unknown> =>
    client.request({ kind: 'subscribe', sections })

  return { atNs, zones, cpus, tasks, cgroups, swap, pressure, populatedZones, userTasks, subscribe }
})
