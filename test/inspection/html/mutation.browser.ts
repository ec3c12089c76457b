import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Profile, type ProfileName, profiles } from '../../../src/inspection/html/profiles.ts'
import { openSanitiser } from '../../../src/inspection/html/sanitiser.ts'
import { openBrowser } from '../../support/browser.ts'
import { mutations } from './mutation.cases.ts'

/** What came of one text in the browser. */
interface Outcome {
  readonly ran: number
  /** Elements and attributes that were made, `b`, `a@href`. */
  readonly made: readonly string[]
  readonly addresses: readonly string[]
}

test('CT2: what was sanitised runs nothing in a browser and makes nothing that its profile does not allow', async (context) => {
  const browser = await openBrowser(context)
  const page = await browser.newPage()
  const asked: string[] = []
  await page.route('**/*', (route) => {
    const url = route.request().url()
    if (url !== address) asked.push(url)
    return url === address
      ? route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>x</title>' })
      : route.abort()
  })
  await page.addInitScript({ path: join(import.meta.dirname, 'mutation.page.js') })
  const shown = async (texts: readonly string[]): Promise<readonly Outcome[]> => {
    await page.goto(address) // what was shown before stays in the page
    return page.evaluate(
      (texts) => (globalThis as unknown as { show(texts: readonly string[]): Promise<Outcome[]> }).show(texts),
      texts,
    )
  }
  const texts = Object.values(mutations).flat()

  const unsanitised = await shown(texts)
  const running = unsanitised.filter(({ ran }) => ran > 0).length
  assert.ok(
    running >= texts.length / 3,
    `only ${running} of ${texts.length} texts run as they are: the proof proves little`,
  )

  await page.goto(address)
  asked.length = 0
  for (const name of Object.keys(profiles) as ProfileName[]) {
    const sanitise = openSanitiser(name)
    const sanitised = texts.map(sanitise)
    const outcomes = await shown(sanitised)
    for (const [index, outcome] of outcomes.entries()) {
      const from = `${name}: ${JSON.stringify(texts[index])} became ${JSON.stringify(sanitised[index])}`
      assert.equal(outcome.ran, 0, from)
      const allowed = namesOf(profiles[name])
      assert.deepEqual(
        outcome.made.filter((made) => !allowed.has(made)),
        [],
        from,
      )
      for (const href of outcome.addresses) assert.ok(/^(?:https?:|mailto:)/.test(href), `${href} in ${from}`)
      assert.ok(!outcome.addresses.some((href) => href.includes('evil.example')), from)
    }
  }
  assert.deepEqual(asked, [], 'something was fetched')
})

const address = 'https://here.example/'

function namesOf({ tags, attributes = {} }: Profile): ReadonlySet<string> {
  const own = Object.entries(attributes).flatMap(([tag, names]) => [...names, 'rel'].map((name) => `${tag}@${name}`))
  return new Set([...tags, ...own])
}
