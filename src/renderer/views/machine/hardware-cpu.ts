/** The processor's translation hardware as fields of the hardware editor. Pure. */
import { TLB_NAMES, tlbGeometry, type MachineProfile, type ProfileTlb } from '../../../profiles'
import { ok, userError, type Result } from '../../../util/result'
import type { HardwareField } from './hardware'

/** What a profile that says nothing boots with. */
const DEFAULT: ProfileTlb = { preset: 'skylake-sp' }

const geometryOf = ({ hardware }: MachineProfile) => tlbGeometry({ hardware: { tlb: hardware?.tlb ?? DEFAULT } })!

export function cpuFields(profile: MachineProfile): HardwareField[] {
  const { pcid, dtlb, stlb } = geometryOf(profile)
  const entries = (list: typeof dtlb): string => String(list[0]?.entries ?? 0)
  return [
    {
      id: 'levels',
      group: 'kernel',
      label: 'Page tables',
      value: profile.hardware?.fiveLevelPaging === true ? '5' : '4',
      unit: '',
      options: [
        { value: '4', label: '4 levels' },
        { value: '5', label: '5 levels' },
      ],
      where: 'hardware.fiveLevelPaging',
    },
    {
      id: 'tlb',
      group: 'cpu',
      label: 'TLBs of',
      value: profile.hardware?.tlb?.preset ?? DEFAULT.preset!,
      unit: '',
      options: TLB_NAMES.map((name) => ({ value: name, label: name })),
      where: 'hardware.tlb.preset',
    },
    {
      id: 'dtlb',
      group: 'cpu',
      label: 'L1 DTLB',
      value: entries(dtlb),
      unit: '',
      where: 'hardware.tlb.dtlb[0].entries',
    },
    {
      id: 'stlb',
      group: 'cpu',
      label: 'L2 TLB',
      value: entries(stlb),
      unit: '',
      where: 'hardware.tlb.stlb[0].entries',
    },
    {
      id: 'pcid',
      group: 'cpu',
      label: 'PCID',
      value: String(pcid),
      unit: '',
      options: [
        { value: 'true', label: 'yes' },
        { value: 'false', label: 'no' },
      ],
      where: 'hardware.tlb.pcid',
    },
    {
      id: 'pti',
      group: 'kernel',
      label: 'pti=',
      isKernelName: true,
      value: profile.kernel.pti ?? '',
      unit: '',
      options: [
        { value: '', label: 'default' },
        { value: 'on', label: 'on' },
        { value: 'off', label: 'off' },
      ],
      where: 'kernel.pti',
    },
  ]
}

const withTlb = (profile: MachineProfile, tlb: ProfileTlb): MachineProfile => ({
  ...profile,
  hardware: { ...profile.hardware, tlb },
})

/**
 * The profile with one of these fields as typed; entries keep their ways, and whether the sets fit is the profile's to
 * judge.
 * @returns undefined for a field that is none of these
 */
export function withCpuField(profile: MachineProfile, id: string, text: string): Result<MachineProfile> | undefined {
  const value = text.trim()
  const tlb = profile.hardware?.tlb ?? DEFAULT
  switch (id) {
    case 'levels':
      return ok({ ...profile, hardware: { ...profile.hardware, fiveLevelPaging: value === '5' } })
    case 'tlb':
      // Another processor: what was changed of the old one goes with it.
      return ok(withTlb(profile, { preset: value as NonNullable<ProfileTlb['preset']> }))
    case 'pcid':
      return ok(withTlb(profile, { ...tlb, pcid: value === 'true' }))
    case 'dtlb':
    case 'stlb': {
      const entries = /^\d+$/.test(value) ? Number(value) : 0
      if (entries < 1)
        return userError(
          'hardware/number',
          `hardware.tlb.${id}[0].entries`,
          `${text === '' ? 'Nothing' : text} is no count.`,
          'Use a multiple of its ways, such as 64 or 1536.',
        )
      const list = geometryOf(profile)[id].map((array, i) => ({
        ...array,
        pages: [...array.pages],
        entries: i === 0 ? entries : array.entries,
      }))
      return ok(withTlb(profile, { ...tlb, [id]: list }))
    }
    case 'pti': {
      const { pti: _old, ...kernel } = profile.kernel
      return ok({ ...profile, kernel: value === '' ? kernel : { ...kernel, pti: value as 'on' | 'off' } })
    }
    default:
      return undefined
  }
}
