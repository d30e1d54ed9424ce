import { boot, expect, goTo, run, screen, test, type } from './fixtures'

test('a refused write reads as on Linux, and has its status', async ({ open }) => {
  const page = await open()
  await boot(page, 'vm-512m')
  await goTo(page, 'Terminal')
  await run(page)
  await type(page, 'echo nonsense > /proc/sys/vm/swappiness; echo status $?')
  await expect(screen(page)).toContainText('write error: Invalid argument')
  await expect(screen(page)).toContainText('status 1')
  await type(page, 'echo 10 > /proc/sys/vm/swappiness; sysctl vm.swappiness')
  await expect(screen(page)).toContainText('vm.swappiness = 10')
})

test('Ctrl+C ends what runs in the foreground', async ({ open }) => {
  const page = await open()
  await boot(page, 'vm-512m')
  await goTo(page, 'Terminal')
  await run(page)
  await type(page, 'sleep 100000')
  await page.keyboard.press('Control+c')
  await type(page, 'echo back with $?')
  await expect(screen(page)).toContainText('back with 130')
})

test('a machine without swap kills the largest process, and the kernel log says so', async ({ open }) => {
  const page = await open()
  await boot(page, 'vm-512m-noswap')
  await goTo(page, 'Terminal')
  await run(page)
  await type(
    page,
    'stress --vm 2 --vm-bytes 300M --timeout 30s > /dev/null; dmesg | grep -c "Out of memory: Killed process"',
  )
  await expect(screen(page)).toContainText(/\n?\s*[1-9]\d*\s*root@/, { timeout: 60_000 })
})
