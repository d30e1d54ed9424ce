import { beforeAll, expect, test } from 'vitest'
import { VM_512M } from '../../test/support/session'
import { loadMachine, toConfig } from '../profiles/index'
import { createHeadless, type Headless } from './headless'
import { programs, realEngine } from './real-engine'

let machine: Headless
beforeAll(() => {
  const profile = loadMachine(VM_512M, 'vm-512m.json')
  if (!profile.ok) throw new Error(profile.error.message)
  machine = createHeadless(toConfig(profile.value), 7, { engine: realEngine(), programs })
})

async function run(script: string): Promise<string> {
  let text = ''
  const see = (part: string): void => void (text += part)
  await machine.runScript(`cd\n${script}`, { onStdout: see, onStderr: see })
  return text
}

test('the sources lie in the home folder, and no program is there before it is built', async () => {
  expect(await run('ls *.c | grep fault; ./fault_test; fault_test; fault_test.c')).toMatch(
    /^fault_test\.c\n.*\.\/fault_test: No such file or directory\n.*fault_test: command not found\n.*fault_test\.c: command not found\n$/,
  )
})

test('the lines of the course build and run the program', async () => {
  const text = await run('gcc fault_test.c -o fault_test && ./fault_test; stat=$?; ls -l fault_test; echo $stat')
  expect(text).toMatch(
    /^before malloc .*\nafter malloc .*\nafter touching .*\nafter free .*\n-rwxr-xr-x 1 root root +786432 fault_test\n0\n$/,
  )
})

test('without -o it is a.out, and options of a compiler are taken', async () => {
  expect(await run('gcc -O2 -Wall -std=c17 null_deref.c; ./a.out; echo $?')).toMatch(
    /^writing to address \(nil\)\n.*Segmentation fault.*\n139\n$/,
  )
})

test.each([
  ['gcc', 'gcc: fatal error: no input files\ncompilation terminated.\n'],
  ['gcc nothing.c', 'gcc: fatal error: nothing.c: No such file or directory\ncompilation terminated.\n'],
  ['gcc fault_test.c -lm', "gcc: error: option '-lm' is not known here\n"],
])('%s says what is wrong', async (line, said) => {
  expect(await run(`${line}; echo $?`)).toBe(`${said}1\n`)
})

test('any other source is refused with the list of what can be built', async () => {
  const text = await run('echo "int main(void) { return 0; }" > mine.c; gcc mine.c; echo $?')
  expect(text).toMatch(/^gcc: error: mine\.c: this machine has no compiler\ngcc: note: .*fault_test\.c.*\n1\n$/)
  expect(await run('sed s/100/200/ fault_test.c > x; mv x fault_test.c; gcc fault_test.c')).toContain(
    'fault_test.c: changed since it was installed, and this machine has no compiler',
  )
})
