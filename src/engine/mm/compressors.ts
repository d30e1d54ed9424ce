/**
 * What compressing a page costs and yields, for zram and zswap alike.
 * @kernel  crypto/lzo.c, crypto/lz4.c, crypto/zstd.c and their neighbours
 * @spec    04 §4.3
 */
import type { Bytes, Ns } from '../../util/units'

export interface Compressor {
  readonly compressNs: Ns
  readonly decompressNs: Ns
  /** Length of an ordinary page of a program after compression. */
  readonly length: Bytes
}

/**
 * CPU time of a page: spec 04 §4.3.
 * @model  contents are not simulated: a program's page shrinks to between a third and two fifths, as machines in use
 * report it; memory that a program fills with random bytes does not shrink. lzo and lzo-rle differ in runs of zeros only
 */
export const COMPRESSORS: Readonly<Record<string, Compressor>> = {
  'lzo-rle': { compressNs: 5_000, decompressNs: 2_000, length: 1_560 },
  lzo: { compressNs: 5_000, decompressNs: 2_000, length: 1_560 },
  lz4: { compressNs: 5_000, decompressNs: 2_000, length: 1_640 },
  zstd: { compressNs: 15_000, decompressNs: 5_000, length: 1_230 },
}
