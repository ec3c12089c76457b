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
