/** Where a command prints to: standard output for results, standard error for progress and errors. */
export interface Output {
  out(text: string): void
  err(text: string): void
  /** One line that the next one replaces; nothing when standard error is no terminal. */
  progress(text: string): void
}

export function processOutput(): Output {
  const isTerminal = process.stderr.isTTY === true
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    progress: (text) => {
      if (isTerminal) process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`)
    },
  }
}

/** Writes in whole lines: what conform and boot print. */
export const printLine =
  (output: Output) =>
  (text: string): void =>
    output.out(`${text}\n`)
