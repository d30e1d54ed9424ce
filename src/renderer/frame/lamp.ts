/** What the pressure light shows. Pure. */
export type Lamp = 'ok' | 'warn' | 'danger'

/**
 * some ≥ 5 %: tasks notice. full ≥ 20 %: for a fifth of the time nothing in the machine gets on.
 * @param some  PSI some avg10, percent
 * @param full  PSI full avg10, percent
 */
export const lampOf = (some: number, full: number): Lamp => (full >= 20 ? 'danger' : some >= 5 ? 'warn' : 'ok')
