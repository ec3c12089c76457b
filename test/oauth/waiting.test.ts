// What happens to a request while it waits for its person.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answered, redirectUri, startOauth } from '../support/oauth.ts'
import { authorizeUrl } from '../support/oauth-clients.ts'
import { goodPassword } from '../support/people.ts'

const email = 'ada@people.example'

for (const site of ['cross-site', 'none'] as const)
  test(`A48: whoever proves themself again on the way goes on under the new session (from ${site})`, async (context) => {
    const house = await startOauth(context)
    const walker = await house.person(email)
    // Seconds are what the protocol counts in.
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    walker.site = site
    const asked = await walker.go(authorizeUrl(house, { prompt: 'login' }))
    assert.equal(asked.url.pathname, '/auth/step-up')
    const question = await walker.send(asked, { password: goodPassword }, '/auth/step-up')
    const out = await answered(walker, question, 'allow')
    assert.ok(out.url.searchParams.has('code'), out.text)
  })

test('A29: whoever signs in as somebody else meanwhile is asked anew, and nothing is allowed in the first one’s name', async (context) => {
  const house = await startOauth(context)
  await house.newcomer('bob@people.example')
  const walker = await house.person(email)
  const asked = await walker.go(authorizeUrl(house))
  assert.match(asked.text, /ada@people\.example/)
  const door = await walker.send(asked, {}, '/auth/sign-out')
  assert.equal(door.url.pathname, '/auth/sign-in', 'and back to the request from there')
  const question = await walker.send(
    door,
    { identifier: 'bob@people.example', password: goodPassword },
    '/auth/sign-in',
  )
  assert.match(question.text, /bob@people\.example/)
  // The page that was left open in another tab names Ada: it answers for nobody.
  const stale = await walker.send(asked, { decision: 'allow' }, '/auth/consent/')
  assert.notEqual(stale.status, 0)
  assert.ok(!(await house.events()).some(({ action }) => action === 'client-allow'))
  const out = await answered(walker, await walker.go(authorizeUrl(house)), 'allow')
  assert.ok(out.url.href.startsWith(`${redirectUri}?code=`), out.text)
})
