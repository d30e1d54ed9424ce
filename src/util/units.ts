/**
 * Units of the numbers that cross function borders, and the only conversions between them.
 *
 * A unit is a *flavour*: a plain number may become a Pfn without a cast, but a Pfn never becomes Pages by accident.
 * Stronger brands were tried and rejected, see docs/decisions/0002-unit-flavours.md.
 */
export type Unit<U extends string> = number & { readonly __unit?: U }

/** Page frame number: physical address >> 12. 0 is never a usable frame and stands for "none" in columns. */
export type Pfn = Unit<'pfn'>
/** A count of 4 KiB pages. */
export type Pages = Unit<'pages'>
export type Bytes = Unit<'bytes'>
/** Kibibytes, where the kernel prints kB. */
export type Kib = Unit<'kib'>
/** Simulated nanoseconds since boot. Safe integers: 104 days. */
export type Ns = Unit<'ns'>
/** Virtual page number: virtual address >> 12; up to 36 bits (45 with five levels), so never an int32. */
export type Vpn = Unit<'vpn'>

export const PAGE_SHIFT = 12
export const PAGE_SIZE = 4096
export const KIB = 1024
export const MIB = 1024 * 1024
export const GIB = 1024 * 1024 * 1024
/** Pages in a pageblock and in a 2 MiB huge page. */
export const PAGEBLOCK_PAGES = 512
export const HPAGE_PAGES = 512

export const NS_PER_US = 1_000
export const NS_PER_MS = 1_000_000
export const NS_PER_S = 1_000_000_000
/** Ticks a second of Debian's kernels (CONFIG_HZ). */
export const HZ = 250
export const NS_PER_JIFFY = NS_PER_S / HZ

export const pagesToBytes = (n: Pages): Bytes => n * PAGE_SIZE
export const pagesToKib = (n: Pages): Kib => n * 4
export const bytesToPagesFloor = (n: Bytes): Pages => Math.floor(n / PAGE_SIZE)
export const bytesToPagesCeil = (n: Bytes): Pages => Math.ceil(n / PAGE_SIZE)
export const jiffiesToNs = (j: number): Ns => j * NS_PER_JIFFY
export const addressToVpn = (address: number): Vpn => Math.floor(address / PAGE_SIZE)
export const vpnToAddress = (vpn: Vpn): number => vpn * PAGE_SIZE
