import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type BrowserContext, chromium } from 'playwright-core'

/** Chromium, as this machine has it. */
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** A browser of somebody who was never here. */
export async function openBrowser(
  context: TestContext,
  options: { readonly javaScriptEnabled?: boolean } = {},
): Promise<BrowserContext> {
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--headless', '--disable-background-networking'],
  })
  context.after(() => browser.close())
  return browser.newContext(options)
}

/** A port that is free now: a passkey belongs to an address that has to be known beforehand. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
