import { callShell, expect, test } from './fixtures'

test('the page has five functions and nothing of Node or Electron', async ({ app }) => {
  const names = await callShell(app.page, (api) => Object.keys(api))
  expect(names).toEqual(['openFile', 'saveFile', 'recent', 'autosave', 'connectEngine'])
  const leaks = await app.page.evaluate(() =>
    ['require', 'process', 'module', 'Buffer', 'ipcRenderer'].filter((name) => name in window),
  )
  expect(leaks).toEqual([])
})

test('the policy stops inline scripts, eval and the network', async ({ app }) => {
  const blocked = await app.page.evaluate(async () => {
    const seen: string[] = []
    document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective))
    const inline = document.createElement('script')
    inline.textContent = 'window.inlineRan = true'
    document.head.append(inline)
    await fetch('https://example.org/').catch(() => undefined)
    const frame = document.createElement('iframe')
    frame.src = 'https://example.org/'
    document.body.append(frame)
    await new Promise((soon) => setTimeout(soon, 300))
    frame.remove()
    return { seen, inlineRan: 'inlineRan' in window }
  })
  expect(blocked.inlineRan).toBe(false)
  expect(blocked.seen).toEqual(expect.arrayContaining(['script-src-elem', 'connect-src', 'frame-src']))
})

test('nothing is served from outside the page', async ({ app }) => {
  const outcomes = await app.page.evaluate(async () => {
    const load = (src: string): Promise<string> =>
      new Promise((done) => {
        const script = document.createElement('script')
        script.type = 'text/javascript'
        script.addEventListener('load', () => done('served'))
        script.addEventListener('error', () => done('refused'))
        script.src = src
        document.head.append(script)
      })
    const own = document.querySelector<HTMLScriptElement>('script[src]')?.src ?? ''
    return Promise.all([own, '/../main/main.js', '/..%2fmain%2fmain.js', '/assets/..%2f..%2fmain%2fmain.js'].map(load))
  })
  expect(outcomes).toEqual(['served', 'refused', 'refused', 'refused'])
})

test('permissions are refused, but for copying', async ({ app }) => {
  const states = await app.page.evaluate(() =>
    Promise.all(
      ['geolocation', 'notifications'].map(
        async (name) => (await navigator.permissions.query({ name: name as PermissionName })).state,
      ),
    ),
  )
  expect(states).not.toContain('granted')
})

test('links leave for the system browser only over https; the page stays', async ({ app }) => {
  await app.evaluate(({ shell }) => {
    const opened: string[] = []
    Object.assign(globalThis, { opened })
    shell.openExternal = (url) => Promise.resolve(void opened.push(url))
  }, undefined)
  const address = app.page.url()
  const opened = (): Promise<string[]> =>
    app.evaluate(() => (globalThis as unknown as { opened: string[] }).opened, undefined)
  const click = (href: string, target = ''): Promise<void> =>
    app.page.evaluate(
      (link) => {
        const anchor = Object.assign(document.createElement('a'), { ...link, textContent: link.href })
        document.body.append(anchor)
        anchor.click()
      },
      { href, target },
    )

  for (const href of ['http://example.org/', 'file:///etc/passwd', 'javascript:document.title="hostile"'])
    await click(href)
  await click('https://example.org/new', '_blank')
  await expect.poll(opened).toContain('https://example.org/new')
  await click('https://docs.kernel.org/mm/')
  await expect.poll(opened).toContain('https://docs.kernel.org/mm/')
  expect((await opened()).filter((url) => !url.startsWith('https:'))).toEqual([])
  expect(app.page.url()).toBe(address)
  await expect(app.page).not.toHaveTitle('hostile')
})
