/** What `test`, `[` and `[[ ]]` ask: files, strings and numbers. */
import type { TestExpression } from 'unbash'
import type { FileStat } from '../engine/commands'
import { evaluateText } from './arithmetic'
import { expandPartsToText, expandPattern, expandText } from './expand'
import { matches, unescapePattern } from './glob'
import { resolvePath } from './paths'
import type { Proc } from './process'
import { isTty } from './stream'
import { setElement, setVariable } from './variables'

const MAX_LINKS = 40

/** stat(2): follows symbolic links. undefined when there is no such file. */
export function statFollowing(proc: Pick<Proc, 'sys' | 'pid' | 'cwd'>, path: string): FileStat | undefined {
  let current = resolvePath(proc.cwd, path)
  for (let i = 0; i < MAX_LINKS; i++) {
    const stat = proc.sys.stat(proc.pid, current)
    if (!stat.ok) return undefined
    if (stat.value.kind !== 'symlink') return stat.value
    current = resolvePath(current.slice(0, current.lastIndexOf('/')) || '/', stat.value.target)
  }
  return undefined
}

const CHARACTER_DEVICES = /^\/dev\/(null|zero|full|random|urandom|kmsg|tty|console|stdin|stdout|stderr)$/

/** A test with one operand; undefined when `operator` is none. */
export function unaryTest(proc: Proc, operator: string, operand: string): boolean | undefined {
  const stat = (): FileStat | undefined => statFollowing(proc, operand)
  switch (operator) {
    case '-n':
      return operand !== ''
    case '-z':
      return operand === ''
    case '-e':
    case '-a':
    case '-r':
      return stat() !== undefined
    case '-f':
      return stat()?.kind === 'file'
    case '-d':
      return stat()?.kind === 'dir'
    case '-b':
      return stat()?.kind === 'device' && !CHARACTER_DEVICES.test(operand)
    case '-c':
      return stat()?.kind === 'device' && CHARACTER_DEVICES.test(operand)
    case '-L':
    case '-h': {
      const own = proc.sys.stat(proc.pid, resolvePath(proc.cwd, operand))
      return own.ok && own.value.kind === 'symlink'
    }
    case '-s':
      return (stat()?.sizeBytes ?? 0) > 0
    case '-w':
      return stat()?.writable ?? false
    case '-x': {
      const found = stat()
      return found !== undefined && (found.kind === 'dir' || found.executable)
    }
    case '-t':
      return isTty(proc.fds.get(Number(operand)))
    case '-v':
      return proc.vars.has(operand)
    case '-o':
      return operand in proc.options && proc.options[operand as keyof Proc['options']]
    case '-p':
    case '-S':
    case '-g':
    case '-u':
    case '-k':
      return false
    default:
      return undefined
  }
}

/** A comparison; undefined when `operator` is none. */
export function binaryTest(left: string, operator: string, right: string): boolean | undefined {
  switch (operator) {
    case '=':
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '>':
      return left > right
    default:
      return undefined
  }
}

/** A numeric comparison; undefined when `operator` is none. */
export function numberTest(left: bigint, operator: string, right: bigint): boolean | undefined {
  switch (operator) {
    case '-eq':
      return left === right
    case '-ne':
      return left !== right
    case '-lt':
      return left < right
    case '-le':
      return left <= right
    case '-gt':
      return left > right
    case '-ge':
      return left >= right
    default:
      return undefined
  }
}

/** `[[ … ]]`: words are not split, `==` compares with a pattern, `=~` with a regular expression. */
export async function testExpression(proc: Proc, e: TestExpression): Promise<boolean> {
  switch (e.type) {
    case 'TestGroup':
      return testExpression(proc, e.expression)
    case 'TestNot':
      return (await testExpression(proc, e.operand)) === (e.negations.length % 2 === 0)
    case 'TestLogical':
      for (const operand of e.operands) {
        const holds = await testExpression(proc, operand)
        if (holds !== (e.operator === '&&')) return holds
      }
      return e.operator === '&&'
    case 'TestUnary':
      return unaryTest(proc, e.operator, await expandText(proc, e.operand)) ?? false
    case 'TestBinary':
      return testBinary(proc, e)
  }
}

async function testBinary(proc: Proc, e: Extract<TestExpression, { type: 'TestBinary' }>): Promise<boolean> {
  const left = await expandText(proc, e.left)
  if (e.operator === '==' || e.operator === '=') return matches(await expandPattern(proc, e.right), left)
  if (e.operator === '!=') return !matches(await expandPattern(proc, e.right), left)
  if (e.operator === '=~') return testRegex(proc, left, e)
  const right = await expandText(proc, e.right)
  const numbers = numberTest(0n, e.operator, 0n) !== undefined
  if (!numbers) return binaryTest(left, e.operator, right) ?? false
  const value = (text: string): Promise<bigint> => evaluateText(proc, text, expandPartsToText)
  return numberTest(await value(left), e.operator, await value(right)) ?? false
}

async function testRegex(
  proc: Proc,
  left: string,
  e: Extract<TestExpression, { type: 'TestBinary' }>,
): Promise<boolean> {
  const hasQuotes = e.right.parts?.some((part) => /Quoted$/.test(part.type)) ?? false
  const source = hasQuotes ? unescapePattern(await expandPattern(proc, e.right)) : await expandText(proc, e.right)
  try {
    const found = new RegExp(source).exec(left)
    setVariable(proc, 'BASH_REMATCH', [])
    for (const [index, group] of (found ?? []).entries()) setElement(proc, 'BASH_REMATCH', index, group ?? '')
    return found !== null
  } catch {
    return false
  }
}
