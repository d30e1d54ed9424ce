/**
 * The translation hardware of a profile: a named processor's, with what differs from it. Its schema, whether such a
 * hardware can exist, and what the engine boots from.
 */
import type { TlbArray, TlbGeometry } from '../engine/mm/tlb_presets'
import { DEFAULT_TLB, TLB_PRESETS, type TlbPresetName } from '../engine/mm/tlb_presets'
import type { Err, UserError } from '../util/result'
import type { MachineProfile } from './machine'
import type { Report } from './machine-check'
import { field, z } from './zod'

export const TLB_NAMES = Object.keys(TLB_PRESETS) as TlbPresetName[]
const NAMED = TLB_NAMES.map((name) => `"${name}"`).join(', ')

/** What /proc/cpuinfo calls a processor of each kind. */
const MODELS: Readonly<Record<TlbPresetName, string>> = {
  'skylake-sp': 'Intel(R) Xeon(R) Platinum 8168 CPU @ 2.70GHz',
  'golden-cove': 'Intel(R) Xeon(R) Platinum 8480+',
  zen3: 'AMD EPYC 7763 64-Core Processor',
  zen4: 'AMD EPYC 9654 96-Core Processor',
}

const count = (description: string) => field(z.int().positive(), 'a whole number from 1 on', description)
const arrays = (description: string) =>
  field(
    z.array(
      z.strictObject({
        entries: count('Translations that it holds.'),
        ways: count('Entries of a set; as many as entries: fully associative.'),
        pages: field(
          z.array(z.enum(['4K', '2M', '1G'])),
          'a list of "4K", "2M" and "1G"',
          'Page sizes whose translations it holds.',
        ),
      }),
    ),
    'a list of {"entries", "ways", "pages"}',
    description,
  ).optional()
const yesNo = (description: string) => field(z.boolean(), 'true or false', description).optional()

export const tlbSchema = z.strictObject({
  preset: field(
    z.enum(TLB_NAMES as [TlbPresetName, ...TlbPresetName[]]),
    NAMED,
    `The processor whose TLBs these are (default "${DEFAULT_TLB}"); the fields below replace parts of them.`,
  ).optional(),
  dtlb: arrays('First level for data, one array for each page size or for several.'),
  itlb: arrays('First level for instructions.'),
  stlb: arrays('Second level; for data alone where stlbInstructions is given.'),
  stlbInstructions: arrays('Second level for instructions, where it is apart.'),
  pde: count('Entries of the cache for PMD entries.').optional(),
  pdpte: count('Entries of the cache for PUD entries.').optional(),
  pml4e: count('Entries of the cache for PGD entries of four levels.').optional(),
  pcid: yesNo('Translations carry the number of their address space, so that a switch need not flush.'),
  gigabytePages: yesNo('Pages of 1 GiB exist (pdpe1gb).'),
})
export type ProfileTlb = z.infer<typeof tlbSchema>

/** @param profile  checked */
export function tlbGeometry({ hardware }: Pick<MachineProfile, 'hardware'>): TlbGeometry | undefined {
  if (hardware?.tlb === undefined) return undefined
  const { preset = DEFAULT_TLB, ...own } = hardware.tlb
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined))
  return { ...TLB_PRESETS[preset], ...given }
}

/** The processor's name when the profile names its TLBs but not itself. */
export const tlbCpuModel = ({ hardware }: Pick<MachineProfile, 'hardware'>): string | undefined =>
  hardware?.tlb?.preset === undefined ? undefined : MODELS[hardware.tlb.preset]

type Fault = Err<UserError> | undefined
const LISTS = ['dtlb', 'itlb', 'stlb', 'stlbInstructions'] as const
const SETS_MAX = 512
const WAYS_MAX = 255
const ENTRIES_MAX = 65_536
const PSC_MAX = 1024

/** Whether such caches can be built: what a schema cannot say. */
export function checkTlb(profile: MachineProfile, report: Report): Fault {
  const tlb = profile.hardware?.tlb
  if (tlb === undefined) return undefined
  for (const name of LISTS) {
    const path = ['hardware', 'tlb', name]
    for (const [i, array] of (tlb[name] ?? []).entries()) {
      const fault = checkArray(array, [...path, i], report)
      if (fault) return fault
    }
    const fault = checkPages(tlb[name], name, path, report)
    if (fault) return fault
  }
  for (const name of ['pde', 'pdpte', 'pml4e'] as const) {
    if ((tlb[name] ?? 1) > PSC_MAX)
      return report('tlb-cache', ['hardware', 'tlb', name], `${tlb[name]} entries.`, `Use 1 to ${PSC_MAX}.`)
  }
  return undefined
}

function checkArray({ entries, ways }: TlbArray, path: readonly PropertyKey[], report: Report): Fault {
  if (entries > ENTRIES_MAX)
    return report('tlb-entries', [...path, 'entries'], `${entries} entries.`, `Use at most ${ENTRIES_MAX}.`)
  if (ways > WAYS_MAX)
    return report('tlb-ways', [...path, 'ways'], `${ways} entries in a set.`, `Use at most ${WAYS_MAX}.`)
  const sets = entries / ways
  if (Number.isInteger(sets) && sets <= SETS_MAX && (sets & (sets - 1)) === 0) return undefined
  const near = nearestEntries(entries, ways)
  return report(
    'tlb-sets',
    [...path, 'entries'],
    `${entries} entries in ${ways} ${ways === 1 ? 'way' : 'ways'} make ${Number(sets.toFixed(2))} sets.`,
    `The low bits of the page number choose the set, so there are 1, 2, 4 … ${SETS_MAX} of them: use ${near} entries.`,
  )
}

/** Entries in as many ways that make a power of two of sets. */
function nearestEntries(entries: number, ways: number): number {
  let sets = 1
  while (sets < SETS_MAX && Math.abs(2 * sets * ways - entries) <= Math.abs(sets * ways - entries)) sets *= 2
  return sets * ways
}

function checkPages(
  list: readonly TlbArray[] | undefined,
  name: (typeof LISTS)[number],
  path: readonly PropertyKey[],
  report: Report,
): Fault {
  if (list === undefined) return undefined
  const pages = list.flatMap((array) => array.pages)
  const twice = pages.find((page, i) => pages.indexOf(page) !== i)
  if (twice !== undefined)
    return report('tlb-pages', path, `Two arrays hold pages of ${twice}.`, 'Name each page size once.')
  if ((name === 'dtlb' || name === 'itlb') && !pages.includes('4K'))
    return report(
      'tlb-pages',
      path,
      'No array holds pages of 4K.',
      'Give one, such as {"entries": 64, "ways": 4, "pages": ["4K"]}.',
    )
  return undefined
}
