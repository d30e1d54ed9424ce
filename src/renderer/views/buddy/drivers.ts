/** pagewalk/modules as text → the drivers that can be loaded. Pure. */

export interface DriverParam {
  readonly name: string
  /** What it is loaded with, else the default. */
  readonly value: string
  readonly meaning: string
}

export interface Driver {
  readonly name: string
  readonly description: string
  readonly params: readonly DriverParam[]
  /** Loaded: requests asked, failed, held. */
  readonly counts: { readonly asked: number; readonly failed: number; readonly held: number } | undefined
}

export function parseDrivers(text: string): readonly Driver[] {
  return text
    .split(/^(?=\S)/m)
    .map((part) => part.split('\n'))
    .flatMap(([head = '', ...rows]) => {
      const [, name = '', description = ''] = /^(\w+): (.*)$/.exec(head) ?? []
      const loaded = rows.map((row) => /^ {2}loaded asked=(\d+) failed=(\d+) held=(\d+)$/.exec(row)).find(Boolean)
      const params = rows
        .map((row) => /^ {2}(\w+)=(\S+) {2}(.*)$/.exec(row))
        .flatMap((m) => (m ? [{ name: m[1]!, value: m[2]!, meaning: m[3]! }] : []))
      const [, asked, failed, held] = loaded ?? []
      const counts = loaded ? { asked: Number(asked), failed: Number(failed), held: Number(held) } : undefined
      return name === '' ? [] : [{ name, description, params, counts }]
    })
}

/** 'load pw_atomic rate=200': only what differs from the default. */
export const loadText = (driver: Driver, typed: Readonly<Record<string, string>>): string =>
  [
    'load',
    driver.name,
    ...driver.params.flatMap(({ name, value }) => {
      const word = typed[name]?.trim() ?? ''
      return word === '' || word === value ? [] : [`${name}=${word}`]
    }),
  ].join(' ')
