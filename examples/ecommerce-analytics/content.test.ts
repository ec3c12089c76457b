import assert from 'node:assert/strict'
import { test } from 'node:test'
import { throwAwayFolder } from '../../test/support/folder.ts'
import { startHouse } from '../../test/support/house.ts'
import { post } from '../../test/support/process.ts'
import { assertSecurityHeaders } from '../../test/support/security-headers.ts'
import config from './gatehouse.config.ts'

interface Told {
  readonly code?: string
  readonly errors?: Readonly<Record<string, readonly string[]>>
  readonly findings?: readonly { readonly in: string; readonly at: string; readonly what: string }[]
  readonly received?: unknown
  readonly path?: string
}

test('E-commerce analytics: times end after they begin, and what people write stays as they wrote it', async (context) => {
  const house = await startHouse(
    context,
    {
      ...config,
      mail: { from: 'x@analytics.example', folder: throwAwayFolder(context) },
      limits: false,
      listen: {},
      shield: {},
      store: 'sqlite::memory:',
    },
    { roles: ['admin'] },
  )
  const authorization = `Bearer ${await house.signIn()}`
  const told = async (answer: Response): Promise<readonly [number, Told]> => [
    answer.status,
    (await answer.json()) as Told,
  ]
  const get = async (path: string): Promise<readonly [number, Told]> =>
    told(await fetch(house.url + path, { headers: { authorization } }))
  const send = async (path: string, body: unknown): Promise<readonly [number, Told]> =>
    told(await post(house.url + path, body, { authorization }))

  await context.test('CT1 E: in a query a time ends after it begins, or the parameter is named', async () => {
    const sales = (query: string): Promise<readonly [number, Told]> => get(`/api/analytics/sales${query}`)
    for (const query of [
      '',
      '?start_date=2026-01-01',
      '?start_date=2026-01-01&end_date=2026-01-02&by=shop',
      '?end_date=2026-01-02&start_date=2026-01-01',
    ]) {
      const [status, { path }] = await sales(query)
      assert.deepEqual([status, path], [200, `/api/analytics/sales${query}`])
    }
    for (const [query, errors] of [
      ['?start_date=2026-01-01&end_date=2026-01-01', { 'query.end_date': ['must be later than `start_date`'] }],
      ['?start_date=2026-01-02&end_date=2026-01-01', { 'query.end_date': ['must be later than `start_date`'] }],
      ['?start_date=2026-02-30', { 'query.start_date': ['must be a date such as `2026-12-31`'] }],
      ['?end_date=2026-01-01', { 'query.start_date': ['is required where `end_date` is given'] }],
    ] as const) {
      const [status, { code, errors: got }] = await sales(query)
      assert.deepEqual([status, code, got], [422, 'request-invalid', errors], query)
    }
    // Which of two counts, readers would not agree.
    assert.equal((await sales('?start_date=2026-01-01&end_date=2026-01-02&end_date=2025-01-01'))[0], 422)
  })

  await context.test('CT1 E: in a body as well', async () => {
    const question = { metrics: ['revenue'], start_date: '2026-01-01', end_date: '2026-01-02' }
    assert.deepEqual((await send('/api/analytics/query', question))[1].received, question)
    for (const end_date of ['2026-01-01', '2025-12-31', '31.12.2026']) {
      const [status, { errors }] = await send('/api/analytics/query', { ...question, end_date })
      assert.deepEqual([status, Object.keys(errors ?? {})], [422, ['end_date']], end_date)
    }
  })

  await context.test('CT2 E: a value comes back as it was: quotes, signs, semicolons and all', async () => {
    const values = [
      "O'Brien",
      'a < b; c > d',
      '"Smith & Sons" <smith@sons.example>',
      '5\'11"; 6 > 5 && 3 < 4',
      'if (x<y) then z; -- not before May',
      'R&amp;D &lt;b&gt; 100% \\ / `tick` $5 {x} [y] #z',
      '‘curly’ “quotes” – Ærø, 北京, 🛒',
      "L'été; d'où? c'est l'heure",
      ' two  spaces\tand a\nline ',
    ]
    for (const value of values) {
      const note = { text: value, tags: [value], nested: { [value.slice(0, 20)]: value } }
      const [status, { received }] = await send('/api/analytics/notes', note)
      assert.deepEqual([status, received], [201, note], value)
    }
    // Byte by byte: not even how it was written changes.
    const raw = `{ "text" : "O\\u0027Brien <3",\r\n "n": 1.0, "big": 12345678901234567890 } ; ${values.join(' ')}`
    const headers = { authorization, 'content-type': 'text/plain' }
    const answer = await fetch(`${house.url}/api/analytics/notes`, { method: 'POST', headers, body: raw })
    assert.equal(((await answer.json()) as Told).received, raw)
    for (const value of values) {
      const [status, { path }] = await get(`/api/analytics/customers?name=${encodeURIComponent(value)}`)
      assert.deepEqual([status, new URL(path ?? '', 'http://api').searchParams.get('name')], [200, value])
    }
  })

  await context.test(
    'CT2 E: what a page would run is refused as it is, and not trimmed until it looks harmless',
    async () => {
      for (const value of [
        '<script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='alert(1)",
        '<svg/onload=alert(1)>',
        '<a href="javascript:alert(1)">x</a>',
        '%3Cscript%3Ealert(1)%3C/script%3E',
        '&lt;script&gt;alert(1)&lt;/script&gt;<iframe src=//x.example></iframe>',
      ]) {
        const [status, { code, findings }] = await send('/api/analytics/notes', { name: value })
        assert.deepEqual(
          [status, code, findings?.[0]],
          [403, 'injection-detected', { in: 'body', at: '/name', what: 'xss' }],
          value,
        )
        assert.equal((await get(`/api/analytics/customers?name=${encodeURIComponent(value)}`))[0], 403, value)
      }
    },
  )

  await context.test('CT2 E: what leaves is data to a browser, whatever stands in it', async () => {
    const answer = await fetch(`${house.url}/api/analytics/customers?name=O'Brien`, { headers: { authorization } })
    assertSecurityHeaders(answer)
    assert.deepEqual(
      [answer.headers.get('content-type'), answer.headers.get('x-content-type-options')],
      ['application/json', 'nosniff'],
    )
  })
})
