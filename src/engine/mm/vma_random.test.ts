/** Random calls on a stretch of addresses against the slow and obvious: one row a page, each saying what it is. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TaskMachine } from '../../../test/task-machine'
import type { Advice, Op } from '../task'
import { VM_DONTCOPY, VM_DONTDUMP, VM_LOCKED, VM_READ, VM_WRITE } from './mm_types'
import { findPteSlot, isPresent, pteAt, ptePfn } from './pgtable'
import { findVma } from './vma_find'
import { findMergers } from './vma_merge'

const PAGE = 4096
/** Crosses from one PTE table into the next. */
const ARENA = 0x10_0000_0000 + 480 * PAGE
const PAGES = 64
const SHOWN = VM_READ | VM_WRITE | VM_DONTCOPY | VM_DONTDUMP | VM_LOCKED

/** One page of the model: its flags, and the frame that it must keep; undefined: nothing is mapped. */
interface Row {
  flags: number
  pfn: number
}
type Model = (Row | undefined)[]

const range = fc.record({ at: fc.nat(PAGES - 1), length: fc.integer({ min: 1, max: 20 }) })
const cut = ({ at, length }: { at: number; length: number }): { at: number; to: number } => ({
  at,
  to: Math.min(PAGES, at + length),
})
const call = fc.oneof(
  fc.record({ do: fc.constant('map' as const), range, prot: fc.constantFrom(0, 1, 3, 3, 3) }),
  fc.record({ do: fc.constant('unmap' as const), range }),
  fc.record({ do: fc.constant('protect' as const), range, prot: fc.constantFrom(0, 1, 3) }),
  fc.record({
    do: fc.constant('advise' as const),
    range,
    advice: fc.constantFrom('dontfork' as const, 'dofork' as const, 'dontdump' as const, 'dodump' as const),
  }),
  fc.record({ do: fc.constant('lock' as const), range, lock: fc.boolean() }),
  fc.record({ do: fc.constant('touch' as const), range }),
  fc.record({ do: fc.constant('move' as const), range, to: fc.nat(PAGES - 1) }),
)
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never

const ADVICE_FLAGS: Readonly<Partial<Record<Advice, readonly [set: number, clear: number]>>> = {
  dontfork: [VM_DONTCOPY, 0],
  dofork: [0, VM_DONTCOPY],
  dontdump: [VM_DONTDUMP, 0],
  dodump: [0, VM_DONTDUMP],
}

class Stage {
  readonly m = new TaskMachine()
  readonly pid = this.m.spawn()
  readonly rows: Model = Array.from({ length: PAGES }, () => undefined)
  readonly address = (page: number): number => ARENA + page * PAGE

  frame(page: number): number {
    const slot = findPteSlot(this.m.state, this.mm(), this.address(page) / PAGE)
    const pte = slot < 0 ? 0 : pteAt(this.m.state.pgtables, slot)
    return isPresent(pte) && ptePfn(pte) !== this.m.state.zeroPfn ? ptePfn(pte) : 0
  }

  mm() {
    return this.m.state.mms[this.m.task(this.pid).mm]!
  }

  /** Rows of a range up to the first hole. */
  private upToHole(at: number, to: number): Row[] {
    const hole = this.rows.slice(at, to).indexOf(undefined)
    return this.rows.slice(at, hole < 0 ? to : at + hole) as Row[]
  }

  perform(c: Call): void {
    const { at, to } = cut(c.range)
    const area = { address: this.address(at), length: (to - at) * PAGE }
    const ask = (op: Op): string => this.m.perform(this.pid, op).errno
    const own = this.rows.slice(at, to)
    const hasHole = own.includes(undefined)
    switch (c.do) {
      case 'map':
        expect(ask({ op: 'mmap', ...area, prot: c.prot, flags: 0x32 })).toBe('')
        for (let i = at; i < to; i++) this.rows[i] = { flags: c.prot, pfn: 0 }
        return
      case 'unmap':
        expect(ask({ op: 'munmap', ...area })).toBe('')
        this.rows.fill(undefined, at, to)
        return
      case 'protect':
        expect(ask({ op: 'mprotect', ...area, prot: c.prot })).toBe(hasHole ? 'ENOMEM' : '')
        for (const row of this.upToHole(at, to)) row.flags = (row.flags & ~3) | c.prot
        return
      case 'advise': {
        const [set, clear] = ADVICE_FLAGS[c.advice]!
        expect(ask({ op: 'madvise', ...area, advice: c.advice })).toBe(hasHole ? 'ENOMEM' : '')
        for (const row of own) if (row !== undefined) row.flags = (row.flags & ~clear) | set
        return
      }
      case 'lock':
        ask({ op: c.lock ? 'mlock' : 'munlock', ...area })
        for (const row of this.upToHole(at, to)) row.flags = (row.flags & ~VM_LOCKED) | (c.lock ? VM_LOCKED : 0)
        return
      case 'touch':
        // Only what is writable: anything else would be the end of the process.
        for (let i = at; i < to; i++)
          if (((this.rows[i]?.flags ?? 0) & VM_WRITE) !== 0)
            this.m.perform(this.pid, { op: 'touch', address: this.address(i), length: PAGE, mode: 'write' })
        return
      case 'move':
        this.move(at, to, c.to)
    }
  }

  /** Of one mapping, to a place that does not overlap. */
  private move(at: number, to: number, target: number): void {
    const length = to - at
    const vma = findVma(this.mm(), this.address(at) / PAGE)
    const isOne = vma !== undefined && vma.end >= this.address(to) / PAGE
    if (!isOne || target + length > PAGES || (target < to && at < target + length)) return
    const moved = this.rows.slice(at, to)
    const op = { op: 'mremap', address: this.address(at), oldLength: length * PAGE, newLength: length * PAGE } as const
    expect(this.m.perform(this.pid, { ...op, flags: 3, newAddress: this.address(target) }).errno).toBe('')
    this.rows.fill(undefined, at, to)
    moved.forEach((row, i) => (this.rows[target + i] = row))
  }

  check(): void {
    const mm = this.mm()
    const seen = this.rows.map((_, i) => {
      const vma = findVma(mm, this.address(i) / PAGE)
      return vma === undefined ? undefined : vma.flags & SHOWN
    })
    expect(seen).toEqual(this.rows.map((row) => row?.flags))
    // A page that is there keeps its frame through all of it.
    this.rows.forEach((row, i) => {
      if (row === undefined) return
      if (row.pfn !== 0) expect(this.frame(i)).toBe(row.pfn)
      row.pfn = this.frame(i)
      // fork copies nothing of a mapping without anon_vma.
      if (row.pfn !== 0) expect(findVma(mm, this.address(i) / PAGE)!.anonVma).toBeGreaterThan(0)
    })
  }

  /** Neighbours that no anonymous page keeps apart are one. */
  checkMerged(): void {
    const { vmas } = this.mm()
    for (let i = 1; i < vmas.length; i++) {
      if (vmas[i]!.anonVma !== 0 || vmas[i - 1]!.anonVma !== 0) continue
      expect(findMergers(vmas[i]!, vmas[i - 1], undefined).left).toBeUndefined()
    }
  }
}

test('mappings say of each page what a list of pages says, and frames stay where they belong', () => {
  fc.assert(
    fc.property(fc.array(call, { minLength: 20, maxLength: 60 }), (calls) => {
      const stage = new Stage()
      for (const c of calls) {
        stage.perform(c)
        stage.check()
        stage.checkMerged()
      }
      expect(stage.m.engine.checkInvariants(stage.m.state)).toEqual([])
    }),
    { numRuns: 30, seed: 11 },
  )
})
