export interface Chromium {
  readonly executablePath: string
  readonly env: Readonly<Record<string, string>>
  readonly source: string
}
export function findChromium(): Promise<Chromium>
export function chromiumLaunchOptions(): Promise<{
  executablePath: string
  env: Record<string, string>
  args: string[]
}>
