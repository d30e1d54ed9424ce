/** A dump of a cgroup's files as the scenarios write it: '# memory.peak' and then the file's lines. */
export interface CgroupDump {
  /** File name → its text without the last newline. */
  readonly files: Readonly<Record<string, string>>
}

export function parseCgroupDump(text: string): CgroupDump {
  const files: Record<string, string> = {}
  for (const part of text.split(/^# /m).slice(1)) {
    const end = part.indexOf('\n')
    files[part.slice(0, end)] = part.slice(end + 1).trimEnd()
  }
  return { files }
}

/** A file with one number; undefined when absent or 'max'. */
export function numberIn(dump: CgroupDump, file: string): number | undefined {
  const text = dump.files[file]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** 'low 0\nhigh 0\nmax 36' → { low: 0, high: 0, max: 36 } */
export function keyed(text: string | undefined): Record<string, number> {
  const out: Record<string, number> = {}
  for (const line of (text ?? '').split('\n')) {
    const match = /^(\S+)\s+(\d+)$/.exec(line.trim())
    if (match) out[match[1]!] = Number(match[2])
  }
  return out
}
