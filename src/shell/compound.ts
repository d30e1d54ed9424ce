/** if, while, until, for, case, { }, (( )) and [[ ]]. */
import type { ArithmeticFor, Case, CompoundCommand, For, If, Statement, While } from 'unbash'
import { evaluate } from './arithmetic'
import { Unwind } from './control'
import { expandPartsToText, expandPattern, expandText, expandWords } from './expand'
import { matches } from './glob'
import type { Proc } from './process'
import { testExpression } from './test-expression'
import { setVariable } from './variables'

type List = { readonly commands: readonly Statement[] }

/** What executor.ts lends, so that the two files need not import each other. */
export interface Runner {
  execute(proc: Proc, list: List): Promise<number>
  checkpoint(proc: Proc): Promise<void>
  withoutErrexit<T>(proc: Proc, body: () => Promise<T>): Promise<T>
}

/** CPU time of one turn of a loop that does nothing else: so time passes in `while :; do :; done` too. */
const LOOP_TURN_NS = 10_000

export async function runCompound(
  proc: Proc,
  node: Exclude<CompoundCommand, { type: 'Subshell' | 'Select' }>,
  runner: Runner,
): Promise<number> {
  switch (node.type) {
    case 'BraceGroup':
      return runner.execute(proc, node.body)
    case 'If':
      return runIf(proc, node, runner)
    case 'While':
      return runWhile(proc, node, runner)
    case 'For':
      return runFor(proc, node, runner)
    case 'ArithmeticFor':
      return runArithmeticFor(proc, node, runner)
    case 'Case':
      return runCase(proc, node, runner)
    case 'ArithmeticCommand':
      return (proc.status = (await evaluate(proc, node.expression, expandPartsToText)) === 0n ? 1 : 0)
    case 'TestCommand':
      return (proc.status = (await testExpression(proc, node.expression)) ? 0 : 1)
  }
}

async function runIf(proc: Proc, node: If, runner: Runner): Promise<number> {
  for (const arm of [node, ...node.elif]) {
    if ((await condition(proc, arm.clause, runner)) === 0) return runner.execute(proc, arm.then)
  }
  if (node.else !== undefined) return runner.execute(proc, node.else)
  return (proc.status = 0)
}

const condition = (proc: Proc, list: List, runner: Runner): Promise<number> =>
  runner.withoutErrexit(proc, () => runner.execute(proc, list))

async function runWhile(proc: Proc, node: While, runner: Runner): Promise<number> {
  let status = 0
  await loop(proc, async () => {
    for (;;) {
      const holds = (await condition(proc, node.clause, runner)) === 0
      if (holds !== (node.kind === 'while')) return
      if (!(await turn(proc, async () => (status = await runner.execute(proc, node.body)), runner)))
        return void (status = 0)
    }
  })
  return (proc.status = status)
}

async function runFor(proc: Proc, node: For, runner: Runner): Promise<number> {
  const values = node.wordlist === undefined ? [...proc.positional] : await expandWords(proc, node.wordlist)
  let status = 0
  await loop(proc, async () => {
    for (const value of values) {
      setVariable(proc, node.name.value, value)
      if (!(await turn(proc, async () => (status = await runner.execute(proc, node.body)), runner)))
        return void (status = 0)
    }
  })
  return (proc.status = status)
}

async function runArithmeticFor(proc: Proc, node: ArithmeticFor, runner: Runner): Promise<number> {
  const value = (e: ArithmeticFor['test']): Promise<bigint> => evaluate(proc, e, expandPartsToText)
  let status = 0
  await value(node.initialize)
  await loop(proc, async () => {
    while (node.test === undefined || (await value(node.test)) !== 0n) {
      if (!(await turn(proc, async () => (status = await runner.execute(proc, node.body)), runner)))
        return void (status = 0)
      await value(node.update)
    }
  })
  return (proc.status = status)
}

async function loop(proc: Proc, body: () => Promise<void>): Promise<void> {
  proc.loopDepth++
  try {
    await body()
  } finally {
    proc.loopDepth--
  }
}

/** One turn of a loop; false when a `break` ends it. `break 2` goes on to the loop outside. */
async function turn(proc: Proc, body: () => Promise<unknown>, runner: Runner): Promise<boolean> {
  await runner.checkpoint(proc)
  const now = proc.sys.now()
  if (now === proc.lastTurnNs && !(await proc.sys.sleep(proc.pid, LOOP_TURN_NS))) proc.doom.die()
  proc.lastTurnNs = proc.sys.now()
  proc.doom.check()
  try {
    await body()
    return true
  } catch (error) {
    if (!(error instanceof Unwind) || (error.kind !== 'break' && error.kind !== 'continue')) throw error
    if (error.value > 1 && proc.loopDepth > 1) {
      error.value--
      throw error
    }
    proc.status = 0
    return error.kind === 'continue'
  }
}

async function runCase(proc: Proc, node: Case, runner: Runner): Promise<number> {
  const word = await expandText(proc, node.word)
  let status = 0
  let fallsThrough = false
  for (const item of node.items) {
    let hits = fallsThrough
    for (const pattern of item.pattern) {
      if (hits) break
      hits = matches(await expandPattern(proc, pattern), word)
    }
    if (!hits) continue
    status = item.body.commands.length === 0 ? 0 : await runner.execute(proc, item.body)
    if (item.terminator === ';&') fallsThrough = true
    else if (item.terminator === ';;&') fallsThrough = false
    else break
  }
  return (proc.status = status)
}
