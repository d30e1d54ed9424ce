export interface KernelTags {
  readonly file: string
  readonly name: string
  readonly line: number
  readonly kernel: readonly string[]
  readonly model: readonly string[]
  readonly simplifies: readonly string[]
}
export function kernelTags(root?: string): readonly KernelTags[]
