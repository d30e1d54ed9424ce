// Structured-clone data as text, for the way between Node and the page. Both functions also run in the page: no imports.

export function encode(value) {
  const plain = (v) => {
    if (v === undefined) return { $: 'undefined' }
    if (typeof v === 'number' && !Number.isFinite(v)) return { $: 'number', v: String(v) }
    if (ArrayBuffer.isView(v)) {
      let bytes = ''
      for (const byte of new Uint8Array(v.buffer, v.byteOffset, v.byteLength)) bytes += String.fromCharCode(byte)
      return { $: v.constructor.name === 'Buffer' ? 'Uint8Array' : v.constructor.name, v: btoa(bytes) }
    }
    if (Array.isArray(v)) return v.map(plain)
    if (typeof v === 'function' || typeof v === 'symbol') throw new Error(`${String(v)} could not be cloned.`)
    if (v === null || typeof v !== 'object') return v
    if (v instanceof Error) return { $: 'Error', v: v.message }
    if (![Object.prototype, null].includes(Object.getPrototypeOf(v)))
      throw new Error(`harness: no text for a ${v.constructor?.name}`)
    return Object.fromEntries(Object.entries(v).map(([key, item]) => [key, plain(item)]))
  }
  return JSON.stringify(plain(value))
}

export function decode(text) {
  const revive = (v) => {
    if (v === null || typeof v !== 'object') return v
    if (Array.isArray(v)) return v.map(revive)
    if (v.$ === undefined) return Object.fromEntries(Object.entries(v).map(([key, item]) => [key, revive(item)]))
    if (v.$ === 'undefined') return undefined
    if (v.$ === 'number') return Number(v.v)
    if (v.$ === 'Error') return new Error(v.v)
    return new globalThis[v.$](Uint8Array.from(atob(v.v), (c) => c.charCodeAt(0)).buffer)
  }
  return revive(JSON.parse(text))
}
