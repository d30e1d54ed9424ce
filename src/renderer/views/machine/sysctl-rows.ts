/** The sysctls that are shown beside the machine, in the order of the kernel's documentation of what they steer. */
export interface SysctlRow {
  readonly name: string
  readonly unit: string
  readonly options?: readonly { readonly value: string; readonly label: string }[]
}

const choice = (...labels: readonly string[]): { value: string; label: string }[] =>
  labels.map((label, value) => ({ value: String(value), label: `${value} ${label}` }))

export const SYSCTL_ROWS: readonly SysctlRow[] = [
  { name: 'min_free_kbytes', unit: 'kB' },
  { name: 'watermark_scale_factor', unit: '‱' },
  { name: 'watermark_boost_factor', unit: '‱' },
  { name: 'lowmem_reserve_ratio', unit: '' },
  { name: 'percpu_pagelist_high_fraction', unit: '' },
  { name: 'swappiness', unit: 'of 200' },
  { name: 'vfs_cache_pressure', unit: '%' },
  { name: 'page-cluster', unit: 'log2' },
  { name: 'dirty_ratio', unit: '%' },
  { name: 'dirty_background_ratio', unit: '%' },
  { name: 'overcommit_memory', unit: '', options: choice('guess', 'always', 'never') },
  { name: 'overcommit_ratio', unit: '%' },
  { name: 'panic_on_oom', unit: '', options: choice('kill', 'panic', 'always') },
  { name: 'oom_kill_allocating_task', unit: '', options: choice('worst', 'asker') },
]

export const sysctlPath = (name: string): string => `/proc/sys/vm/${name}`
export const sysctlLine = (name: string, text: string): string =>
  /\s/.test(text.trim()) ? `sysctl -w vm.${name}="${text.trim()}"` : `sysctl -w vm.${name}=${text.trim()}`

/** As the file has it, for a field: tabs between numbers become spaces. */
export const sysctlText = (text: string): string => text.trim().replace(/\s+/g, ' ')
