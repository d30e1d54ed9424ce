// A static server for the web edition: this machine only, strict headers, nothing outside its folder.
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, resolve, sep } from 'node:path'

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}

/** One policy for both editions; the desktop's `app://` scheme sends the same text. */
export const contentSecurityPolicy = () =>
  readFileSync(new URL('../resources/content-security-policy.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .join('; ')

/** What a file is, by its name's ending. */
export const contentTypeOf = (path) => TYPES[extname(path)] ?? 'application/octet-stream'

const headersFor = (path) => ({
  'content-type': contentTypeOf(path),
  'content-security-policy': contentSecurityPolicy(),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
})

/** The file a request means, or undefined when there is none inside `root`. */
function fileFor(root, url) {
  let path
  try {
    path = decodeURIComponent(new URL(url, 'http://localhost').pathname)
  } catch {
    return undefined
  }
  const file = resolve(join(root, path.endsWith('/') ? `${path}index.html` : path))
  if (!file.startsWith(resolve(root) + sep)) return undefined
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined
}

/**
 * Serves `root` on 127.0.0.1.
 *
 * @param port  0 takes a free one
 * @returns the address, and how to stop
 */
export function serve(root, port = 0) {
  const server = createServer((request, response) => {
    const file = request.method === 'GET' || request.method === 'HEAD' ? fileFor(root, request.url ?? '/') : undefined
    if (!file) {
      response.writeHead(404, headersFor('x.html')).end('Not here.')
      return
    }
    response.writeHead(200, headersFor(file))
    if (request.method === 'HEAD') response.end()
    else createReadStream(file).pipe(response)
  })
  return new Promise((done, failed) => {
    server.once('error', failed)
    server.listen(port, '127.0.0.1', () => {
      const stop = () =>
        new Promise((closed) => {
          server.close(closed)
          server.closeAllConnections()
        })
      done({ url: `http://127.0.0.1:${server.address().port}/`, stop })
    })
  })
}
