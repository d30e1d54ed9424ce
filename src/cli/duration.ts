/** 1500000000 → '1.5 s' */
export const formatDuration = (ns: number): string => `${Number((ns / 1e9).toFixed(3))} s`
