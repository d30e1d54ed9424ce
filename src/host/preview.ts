/** What boot would make of a profile, for the editor that redraws as one types. */
import type { MachineConfig } from '../engine/config'
import { previewMachine } from '../engine/index'
import type { MachinePreview, ZoneFrame } from '../protocol/messages'
import { MIB, PAGE_SIZE } from '../util/units'

/** A zone so small that reclaim has nothing to work with. */
const SMALL_ZONE_PAGES = 4096
/** The hole below 1 MiB belongs to the firmware and video memory. */
const LEGACY_END = MIB
/** x86-64 keeps the last gigabyte below 4 GiB for devices. */
const DEVICES_START = 0x8000_0000
const DEVICES_END = 0x1_0000_0000

export function buildPreview(config: MachineConfig): MachinePreview {
  const preview = previewMachine(config)
  const zones = preview.zones.map((z): ZoneFrame => ({
    ...z,
    protection: [...z.protection],
    free: z.managed,
    boost: 0,
    pcp: 0,
    anon: 0,
    file: 0,
    pagetables: 0,
    kernel: 0,
  }))
  return {
    zones: zones.filter((z) => z.spanned > 0),
    nodes: preview.nodes.map((node) => {
      const own = config.nodes.find((n) => n.nid === node.nid)
      return {
        nid: node.nid,
        cpus: [...(own?.cpus ?? [])],
        order: [...node.order],
        managed: node.managed,
        ranges: (own?.ranges ?? []).map((r) => ({ startBytes: r.start, endBytes: r.end })),
      }
    }),
    holes: preview.holes.map((h) => ({ startBytes: h.start, endBytes: h.end, why: whyHole(h) })),
    minFreeKbytes: preview.minFreeKbytes,
    totalPages: preview.totalPages,
    warnings: warningsOf(zones),
  }
}

function whyHole(hole: { readonly start: number; readonly end: number }): string {
  if (hole.end <= LEGACY_END) return 'video memory and firmware of the PC'
  if (hole.start < DEVICES_END && hole.end >= DEVICES_START) return 'addresses of devices below 4 GiB'
  return 'no memory is fitted here'
}

function warningsOf(zones: readonly ZoneFrame[]): string[] {
  const warnings: string[] = []
  for (const zone of zones) {
    if (zone.managed === 0 || zone.name === 'DMA') continue
    const where = `Node ${zone.nid}, zone ${zone.name}`
    if (zone.high >= zone.managed) {
      warnings.push(
        `${where}: its high watermark (${zone.high} pages) is all it has (${zone.managed}); kswapd will never be content.`,
      )
    } else if (zone.managed < SMALL_ZONE_PAGES) {
      warnings.push(`${where} has only ${(zone.managed * PAGE_SIZE) / MIB} MiB.`)
    }
  }
  return warnings
}
