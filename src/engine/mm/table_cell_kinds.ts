/** Kinds of page-table entries as small numbers: constants only, because windows need them too. */

export const CELL_NONE = 0
/** Points to a table of the next level. */
export const CELL_TABLE = 1
/** An anonymous page, tmpfs left out. */
export const CELL_ANON = 2
export const CELL_SWAP = 3
/** The frame is there, but not for the hardware. */
export const CELL_PROTNONE = 4
/** A page of a file, tmpfs included. */
export const CELL_FILE = 5
/** The one zero page. */
export const CELL_ZERO = 6
/** A page of 2 MiB. */
export const CELL_HUGE = 7
