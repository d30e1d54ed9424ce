/** Zones of a machine at rest, after boot and after each sysctl variant. */
import { parseZoneinfo, type ZoneText } from '../../../profiles/import/zoneinfo'
import type { CaseFiles, CaseTraits, Figure } from '../figure'
import { parseMeminfo } from '../parse/tables'
import { slabFigures } from './slab'

export function staticFigures(files: CaseFiles, traits: CaseTraits): Figure[] {
  const figures: Figure[] = []
  const snapshots = Object.keys(files)
    .filter((path) => /^(?:base|variant-[^/]+)\/zoneinfo$/.test(path))
    .sort()
  for (const path of snapshots) {
    const place = path.split('/')[0]!
    const zones = parseZoneinfo(files[path]!, path)
    if (!zones.ok) {
      figures.push({ name: `${place} zoneinfo`, value: `${zones.error.where}: ${zones.error.message}` })
      continue
    }
    for (const zone of zones.value) figures.push(...zoneFigures(zone, place, traits))
    const kib =
      files[`${place}/min_free_kbytes`] ?? /^min_free_kbytes = (\d+)/m.exec(files[`${place}/sysctl-vm.txt`] ?? '')?.[1]
    if (kib !== undefined) figures.push({ name: `${place} min_free_kbytes`, value: Number(kib) })
  }
  const total = parseMeminfo(files['base/meminfo'] ?? '')['MemTotal']
  if (total !== undefined) figures.push({ name: 'base MemTotal', value: total })
  figures.push(...bootLogFigures(files['dmesg-boot.txt'] ?? ''), ...slabFigures(files))
  return figures
}

/** What the kernel keeps for itself, and what it gives back late: what it calls available depends on its own early work. */
function bootLogFigures(log: string): Figure[] {
  const memory = /Memory: \d+K\/(\d+K) available \((.*)\)$/m.exec(log)
  const freed = [...log.matchAll(/Freeing (.*) memory: (\d+K)$/gm)].map(([, what, kb]) => `${what} ${kb}`)
  if (memory === null) return []
  return [
    { name: 'boot log memory', value: `${memory[1]} (${memory[2]})` },
    { name: 'boot log freed', value: freed.join(', ') },
  ]
}

function zoneFigures(zone: ZoneText, place: string, traits: CaseTraits): Figure[] {
  const at = `${place} N${zone.nid}/${zone.name}`
  const out: Figure[] = [
    { name: `${at} spanned`, value: zone.spanned },
    { name: `${at} present`, value: zone.present },
    { name: `${at} managed`, value: zone.managed },
    { name: `${at} min`, value: zone.min - zone.boost },
    { name: `${at} low`, value: zone.low - zone.boost },
    { name: `${at} high`, value: zone.high - zone.boost },
    { name: `${at} protection`, value: zone.protection.join(' ') },
  ]
  if (zone.promo !== undefined) out.push({ name: `${at} promo`, value: zone.promo - zone.boost })
  if (zone.startPfn !== undefined) out.push({ name: `${at} start_pfn`, value: zone.startPfn })
  if (zone.pagesets.length > 0) {
    out.push({ name: `${at} batch`, value: zone.pagesets.map((p) => p.batch).join(' ') })
    if (traits.series === '6.1') out.push({ name: `${at} pcp high`, value: zone.pagesets.map((p) => p.high).join(' ') })
  }
  return out
}
