export function serve(root: string, port?: number): Promise<{ readonly url: string; stop(): Promise<void> }>
export function contentSecurityPolicy(): string
export function contentTypeOf(path: string): string
