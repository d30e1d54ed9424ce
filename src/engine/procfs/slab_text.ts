/**
 * One slab cache as text: what each CPU and each node holds, with a picture of every slab that is on a list.
 * Ours, for a look at what /proc/slabinfo adds up.
 */
import { slabCacheView, slabObjectsView, type SlabObject, type SlabPage } from '../mm/slab_view'
import type { KernelState } from '../state'

/** '#' used, 'c' free on the CPU's list, '.' free on the slab's. */
const mark = ({ state }: SlabObject): string => (state === 'used' ? '#' : state === 'free on cpu' ? 'c' : '.')

function slabLine(state: KernelState, what: string, slab: SlabPage): string {
  const objects = slabObjectsView(state, slab.pfn)!.list
  const used = objects.filter((object) => object.state === 'used').length
  return `${what} pfn=${slab.pfn} node=${slab.nid} order=${slab.order} used=${used}/${slab.objects} [${objects.map(mark).join('')}]\n`
}

/** Owners of the objects in use, of those that are known: '  task 171 (hog) 0x1234c0'. */
function owners(state: KernelState, slab: SlabPage): string {
  return slabObjectsView(state, slab.pfn)!
    .list.filter((object) => object.owner !== '')
    .map((object) => `    0x${object.address.toString(16)} ${object.owner}\n`)
    .join('')
}

export function slabsText(state: KernelState, cache: number): string {
  const view = slabCacheView(state, cache)
  const { size, objects, cpuPartialSlabs, minPartial } = state.slabs.caches[cache]!
  let text = `${view.name}: ${size} bytes, ${objects} a slab; a CPU sets aside ${cpuPartialSlabs} slabs, a node keeps ${minPartial}\n`
  for (const { cpu, active, partial, nrPartial } of view.cpus) {
    if (active !== undefined) text += slabLine(state, `cpu${cpu} active`, active) + owners(state, active)
    if (nrPartial > 0) text += `cpu${cpu} set aside: ${nrPartial}\n`
    for (const slab of partial) text += slabLine(state, `cpu${cpu} partial`, slab)
  }
  for (const { nid, nrSlabs, totalObjects, partial, nrPartial, nrFull } of view.nodes) {
    if (nrSlabs === 0) continue
    text += `node${nid}: ${nrSlabs} slabs, ${totalObjects} objects, ${nrPartial} partial, ${nrFull} full\n`
    for (const slab of partial) text += slabLine(state, `node${nid} partial`, slab)
  }
  return text
}
