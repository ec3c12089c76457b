import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import type { Config } from '../../src/config/settings.ts'
import { openBrowser } from '../support/browser.ts'
import { goodPassword, type PeopleHouse, startPeople, totpCode } from '../support/people.ts'
import { freePort } from '../support/port.ts'
import { realIssuer } from '../support/providers.ts'

const email = 'ada@people.example'

/** A house at an address that browsers take for a safe one. */
async function atHome(
  context: Parameters<typeof startPeople>[0],
  config: Config = {},
  environment: Readonly<Record<string, string>> = {},
  port?: number,
): Promise<PeopleHouse & { readonly home: string }> {
  const at = port ?? (await freePort())
  const home = `http://localhost:${at}`
  const house = await startPeople(context, { publicUrl: home, listen: { port: at }, ...config }, { environment })
  return { ...house, home }
}

async function signIn(page: Page, home: string): Promise<void> {
  await page.goto(`${home}/auth/sign-in`)
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(goodPassword)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

test('registering, proving the address, signing out and in again work without a script', async (context) => {
  const house = await atHome(context)
  const browser = await openBrowser(context, { javaScriptEnabled: false })
  const page = await browser.newPage()
  await page.goto(`${house.home}/auth/register`)
  await page.getByLabel('Name').fill('Ada')
  await page.getByLabel('E-mail address').fill(email)
  await page.locator('input[name=password]').fill('short')
  await page.locator('main button').first().click()
  assert.match(await page.locator('main').innerText(), /15/)
  await page.locator('input[name=password]').fill(goodPassword)
  await page.locator('main button').first().click()
  assert.match(await page.locator('main').innerText(), /ada@people\.example/)
  await page.goto(`${house.home}/auth/verify?token=${await house.token(email)}`)
  await page.locator('input[name=password]').fill(goodPassword)
  await page.locator('main button').first().click()
  await page.waitForURL('**/auth/account')
  assert.match(await page.locator('main').innerText(), /ada@people\.example/)
  const [session] = (await browser.cookies()).filter(({ name }) => name === '__Host-gatehouse')
  assert.deepEqual([session?.httpOnly, session?.secure, session?.sameSite], [true, true, 'Strict'])
  await page.getByRole('button', { name: 'Sign out' }).first().click()
  await page.waitForURL('**/auth/sign-in')
  await signIn(page, house.home)
  await page.waitForURL('**/auth/account')
})

test('ID8: a forgotten password is chosen anew by the link of a letter', async (context) => {
  const house = await atHome(context)
  await house.newcomer(email)
  const page = await (await openBrowser(context)).newPage()
  await page.goto(`${house.home}/auth/forgot`)
  await page.getByLabel('E-mail address').fill(email)
  await page.locator('main button').first().click()
  await page.waitForSelector('h1')
  await page.goto(`${house.home}/auth/reset?token=${await house.token(email)}`)
  await page.locator('input[name=password]').fill('eleven green harbours sing')
  await page.locator('main button').first().click()
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill('eleven green harbours sing')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.waitForURL('**/auth/account')
})

test('ID7: an app is enrolled from its picture, asked for at the next sign-in, and stood in for by a recovery code', async (context) => {
  const house = await atHome(context)
  await house.newcomer(email)
  const page = await (await openBrowser(context)).newPage()
  await signIn(page, house.home)
  await page.waitForURL('**/auth/account')
  await page.locator('form[action="/auth/account/totp"] button').click()
  assert.ok(
    await page.locator('img.qr').evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth > 0),
  )
  const secret = (await page.locator('code').innerText()).replaceAll(' ', '')
  await page.locator('input[name=code]').fill(totpCode(secret, Date.now()))
  await page.locator('main button').first().click()
  const codes = await page.locator('.codes li').allInnerTexts()
  assert.equal(codes.length, 10)
  await page.context().clearCookies()
  await signIn(page, house.home)
  await page.locator('summary').click()
  await page.locator('input[name=recovery_code]').fill(codes[0] ?? '')
  await page.locator('details button').click()
  await page.waitForURL('**/auth/account')
})

test('ID7, A46: a passkey is enrolled, then signs in alone, and completes a sign-in by password', async (context) => {
  const house = await atHome(context)
  await house.newcomer(email)
  const browser = await openBrowser(context)
  const page = await browser.newPage()
  const devices = await browser.newCDPSession(page)
  await devices.send('WebAuthn.enable')
  const { authenticatorId } = await devices.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  await signIn(page, house.home)
  await page.waitForURL('**/auth/account')
  await page.getByLabel('Name of the passkey').fill('Laptop')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.waitForSelector('.codes')
  await page.goto(`${house.home}/auth/account`)
  assert.match(await page.locator('main').innerText(), /Laptop/)

  await browser.clearCookies()
  await page.goto(`${house.home}/auth/sign-in`)
  // The browser may offer it by itself, before anybody clicks.
  await page
    .getByRole('button', { name: 'Sign in with a passkey' })
    .click({ timeout: 2_000 })
    .catch(() => {})
  await page.waitForURL('**/auth/account')

  await browser.clearCookies()
  await devices.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false })
  await signIn(page, house.home)
  await page.waitForSelector('text=passkey')
  await devices.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: true })
  await page.getByRole('button', { name: /passkey/ }).click()
  await page.waitForURL('**/auth/account')
  const methods = await house.house.store.db.selectFrom('sessions').select('methods').orderBy('created_at').execute()
  assert.deepEqual(
    methods.slice(1).map(({ methods }) => methods),
    ['password', 'passkey', 'password passkey'],
  )
})

test('ID4: a provider signs in, in a real browser, and its person lands where they wanted to go', async (context) => {
  const claims = { email, email_verified: true, name: 'Ada Lovelace' }
  const { issuer, clientId, clientSecret } = await realIssuer(context, { claims })
  const acme = { issuer, clientId, clientSecret: { env: 'ACME_SECRET' }, label: 'Acme' }
  const house = await atHome(context, { identity: { providers: { acme } } }, { ACME_SECRET: clientSecret }, 8080)
  const browser = await openBrowser(context)
  const page = await browser.newPage()
  await page.goto(`${house.home}/auth/sign-in`)
  await page.getByRole('link', { name: /Acme/ }).click()
  await page.waitForURL('**/auth/account')
  assert.match(await page.locator('main').innerText(), /ada@people\.example/)
})

test('ID4: somebody who is signed in links a provider, although its way back brings no Strict cookie', async (context) => {
  const claims = { email: 'someone@elsewhere.example', email_verified: true, name: 'Ada' }
  const { issuer, clientId, clientSecret } = await realIssuer(context, { claims })
  const acme = { issuer, clientId, clientSecret: { env: 'ACME_SECRET' }, label: 'Acme' }
  const house = await atHome(context, { identity: { providers: { acme } } }, { ACME_SECRET: clientSecret }, 8080)
  const { user } = await house.newcomer(email)
  const page = await (await openBrowser(context)).newPage()
  await signIn(page, house.home)
  await page.waitForURL('**/auth/account')
  await page.getByRole('button', { name: /Acme/ }).click()
  await page.waitForSelector('form[action="/auth/account/identities/unlink"]')
  const linked = await house.house.store.db.selectFrom('identities').select('user_id').execute()
  assert.deepEqual(
    linked,
    [{ user_id: user.id }].map((row) => Object.assign(Object.create(null), row)),
  )
})

test('the pages load nothing from elsewhere, and their policy stops nothing of their own', async (context) => {
  const house = await atHome(context)
  const page = await (await openBrowser(context)).newPage()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => !request.url().startsWith(house.home) && complaints.push(request.url()))
  for (const path of ['sign-in', 'register', 'forgot', 'reset?token=x', 'account'])
    await page.goto(`${house.home}/auth/${path}`)
  assert.deepEqual(
    complaints.filter((text) => !text.startsWith('data:') && !/status of 400/.test(text)),
    [],
  )
})
