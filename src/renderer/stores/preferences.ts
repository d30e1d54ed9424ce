/** Small settings of this window, kept in localStorage. A browser that refuses storage only forgets them. */
const PREFIX = 'pagewalk.'

export function readPreference<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
  try {
    const text = localStorage.getItem(PREFIX + name)
    return allowed.find((value) => value === text) ?? otherwise
  } catch {
    return otherwise
  }
}

export function writePreference(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value)
  } catch {
    // Storage is off or full: the setting holds until the window closes.
  }
}

export function readText(name: string): string | undefined {
  try {
    return localStorage.getItem(PREFIX + name) ?? undefined
  } catch {
    return undefined
  }
}

/** @returns false when the browser keeps nothing (private mode, quota) */
export function writeText(name: string, text: string): boolean {
  try {
    localStorage.setItem(PREFIX + name, text)
    return true
  } catch {
    return false
  }
}

export function removeText(name: string): void {
  try {
    localStorage.removeItem(PREFIX + name)
  } catch {
    // Nothing was kept.
  }
}
