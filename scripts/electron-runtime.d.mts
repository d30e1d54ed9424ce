export function electronBinary(): string | undefined
export function fetchElectron(options: { readonly limitMs: number }): Promise<string | undefined>
