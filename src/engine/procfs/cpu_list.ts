/** Lists of CPUs and nodes as /proc and /sys print them. @kernel lib/vsprintf.c %*pbl */

/** '0-3,8' */
export function cpuList(numbers: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < numbers.length;) {
    let j = i
    while (j + 1 < numbers.length && numbers[j + 1] === numbers[j]! + 1) j++
    parts.push(i === j ? `${numbers[i]}` : `${numbers[i]}-${numbers[j]}`)
    i = j + 1
  }
  return parts.join(',')
}
