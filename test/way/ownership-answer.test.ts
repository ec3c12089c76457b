import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Log } from '../../src/kernel/log.ts'
import { eventually } from '../support/eventually.ts'
import { rawExchange } from '../support/house.ts'
import { configOf, found, startCrowd, startDocuments } from './owners.ts'

test('AZ3: the header by which an answer says its owner reaches nobody, and no other answer is released', async (context) => {
  const api = await startDocuments(context)
  const lines: string[] = []
  const note = (...all: unknown[]): void => void lines.push(JSON.stringify(all))
  const log = { debug() {}, info() {}, warn: note, error: note } as unknown as Log
  const { as, ask, ada, bob } = await startCrowd(context, configOf(api.url), { log })
  const warned = (): boolean => lines.splice(0).some((line) => line.includes('has to say one owner'))
  type Head = readonly [status: number, headers: readonly string[]]
  // biome-ignore format: a table: what the upstream answers, then what ada, bob and root get
  const answers: readonly (readonly [name: string, head: Head, ada: number, bob: number, root: number, warned?: true])[] = [
    ['hers',                      [200, ['X-Owner-Id', ada.id]],                       200, 404, 200],
    ['hers, by another case',     [200, ['x-oWNER-iD', ada.id]],                       200, 404, 200],
    ['somebody else’s',           [200, ['X-Owner-Id', 'somebody']],                   404, 404, 200],
    ['without the header',        [200, []],                                           404, 404, 200, true],
    ['with an empty one',         [200, ['X-Owner-Id', '']],                           404, 404, 200, true],
    ['with two',                  [200, ['X-Owner-Id', ada.id, 'X-Owner-Id', ada.id]], 404, 404, 200, true],
    ['with two in one',           [200, ['X-Owner-Id', `${ada.id}, ${ada.id}`]],       404, 404, 200],
    ['with a long one',           [200, ['X-Owner-Id', 'x'.repeat(300)]],              404, 404, 200, true],
    ['hers, not changed',         [304, ['X-Owner-Id', ada.id, 'ETag', '"1"']],        304, 404, 304],
    ['not changed',               [304, ['ETag', '"1"']],                              404, 404, 304, true],
    ['elsewhere',                 [302, ['Location', '/files/2']],                     404, 404, 302, true],
    ['hers, elsewhere',           [302, ['Location', '/files/2', 'X-Owner-Id', ada.id]], 302, 404, 302],
    ['hers, a part',              [206, ['X-Owner-Id', ada.id, 'Content-Range', 'bytes 0-1/9']], 206, 404, 206],
    ['not there',                 [404, ['X-Why', 'never was']],                       404, 404, 404],
    ['gone',                      [410, []],                                           404, 404, 410],
    ['hers, and gone',            [410, ['X-Owner-Id', ada.id]],                       410, 404, 410],
    ['forbidden by the upstream', [403, []],                                           404, 404, 403, true],
    ['hers, and wrong',           [400, ['X-Owner-Id', ada.id]],                       400, 404, 400],
    ['broken',                    [500, []],                                           502, 502, 500],
    ['hers, and broken',          [503, ['X-Owner-Id', ada.id]],                       503, 502, 503],
    ['somebody else’s, broken',   [500, ['X-Owner-Id', 'somebody']],                   502, 502, 500],
  ]
  for (const [name, [status, headers], adas, bobs, roots, warns = false] of answers) {
    api.instead = (request, response) => {
      response.writeHead(status, [...headers, 'X-Kind', 'file'])
      response.end(request.method === 'HEAD' || status === 304 ? undefined : 'the file')
      return true
    }
    for (const method of ['GET', 'HEAD']) {
      lines.length = 0
      for (const [who, expected] of [
        ['ada', adas],
        ['bob', bobs],
        ['root', roots],
      ] as const) {
        const answer = await ask('/files/1', { ...as[who], 'if-none-match': '"1"' }, method)
        const place = `${name}: ${method} by ${who}`
        assert.equal(answer.status, expected, place)
        assert.equal(answer.headers['x-owner-id'], undefined, place)
        const released =
          expected === status && (who === 'root' || (status !== 404 && status !== 410) || name.startsWith('hers'))
        assert.equal(answer.headers['x-kind'], released ? 'file' : undefined, place)
        assert.equal(answer.headers['x-why'], released && status === 404 ? 'never was' : undefined, place)
        if (!released) assert.doesNotMatch(answer.body, /the file/)
        if (!released) assert.equal(answer.headers['cache-control'], 'no-store')
      }
      assert.equal(warned(), warns, name)
    }
  }
  assert.ok(bob.id !== ada.id)
})

/** An upstream below HTTP, that tells what became of each connection. */
async function rawUpstream(context: TestContext, act: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    act(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('AZ3: the body of an answer that is not released is not read to its end', async (context) => {
  let written = 0
  let closed = 0
  const url = await rawUpstream(context, (socket) => {
    socket.on('close', () => closed++)
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nX-Owner-Id: somebody\r\nContent-Length: 1000000000\r\n\r\n')
      const pour = (): void => {
        for (let more = true; more && !socket.destroyed; written += 65_536) more = socket.write(Buffer.alloc(65_536))
      }
      socket.on('drain', pour)
      pour()
    })
  })
  const { as, ask } = await startCrowd(context, configOf(url))
  const answer = await ask('/files/1', as.ada)
  assert.equal(answer.status, 404)
  await eventually(() => (closed === 1 ? true : undefined))
  assert.ok(written < 50_000_000, `${written} bytes were taken`)
})

for (const inspection of [undefined, { pii: { answers: 'redact' } }] as const)
  test(`AZ3: the owner does not leave in a trailer either${inspection === undefined ? '' : ', where the answer is screened too'}`, async (context) => {
    let owner = ''
    const url = await rawUpstream(context, (socket) => {
      socket.on('data', () => {
        socket.write(
          `HTTP/1.1 200 OK\r\nX-Owner-Id: ${owner}\r\nTrailer: X-Owner-Id, X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfile\r\n`,
        )
        setTimeout(() => socket.write(`0\r\nX-Owner-Id: ${owner}\r\nX-Sum: 1\r\n\r\n`), 30)
      })
    })
    const { as, ada, port } = await startCrowd(context, { ...configOf(url), inspection })
    owner = ada.id
    const answer = await rawExchange(
      port,
      `GET /files/1 HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nAuthorization: ${as.ada['authorization']}\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 200 [\s\S]*file\r\n0\r\nX-Sum: 1\r\n\r\n$/)
    assert.doesNotMatch(answer, new RegExp(ada.id))
  })

test('AZ3: what belongs to somebody is kept by no cache that others share', async (context) => {
  const api = await startDocuments(context)
  const { as, ask, ada } = await startCrowd(context, {
    ...configOf(api.url),
    routes: [
      { path: '/files/:id', methods: ['GET'], require: 'document:read', owner: { answer: 'X-Owner-Id' }, to: 'api' },
      { path: '/documents/:id', require: 'document:read', owner: found, to: 'api' },
      { path: '/users/:id', require: 'document:read', owner: { param: 'id' }, to: 'api' },
      { path: '/open/:id', require: 'document:read', to: 'api' },
      {
        path: '/said/:id',
        require: 'document:read',
        owner: { param: 'id' },
        headers: { 'Cache-Control': 'no-cache' },
        to: 'api',
      },
    ],
  })
  api.owners.set(ada.id, ada.id)
  // biome-ignore format: a table
  const said: readonly (readonly [upstream: readonly string[], caller: string])[] = [
    [[],                                                  'private'],
    [['public, max-age=600'],                             'private, max-age=600'],
    [['max-age=60', 'S-MaxAge=600, must-revalidate'],     'private, max-age=60, must-revalidate'],
    [['PUBLIC , proxy-revalidate,max-age="60"'],          'private, max-age="60"'],
    [['private'],                                         'private'],
    [['private="x-a, x-b", no-cache="set-cookie, x-c"'],  'private, no-cache="set-cookie, x-c"'],
    [['no-store'],                                        'no-store'],
    [['public, no-store'],                                'no-store'],
  ]
  for (const [upstream, caller] of said) {
    api.instead = (request, response) => {
      if (request.url?.startsWith('/internal') === true) return false
      const shared = [
        'CDN-Cache-Control',
        'max-age=1',
        'Surrogate-Control',
        'max-age=1',
        'Some-CDN-Cache-Control',
        'max-age=1',
      ]
      const own = upstream.flatMap((value) => ['Cache-Control', value])
      response.writeHead(200, ['X-Owner-Id', ada.id, ...own, ...shared, 'ETag', '"1"']).end('it')
      return true
    }
    for (const kind of ['files', 'documents', 'users']) {
      const { headers } = await ask(`/${kind}/${ada.id}`, as.ada)
      assert.deepEqual(
        [
          headers['cache-control'],
          headers['cdn-cache-control'],
          headers['some-cdn-cache-control'],
          headers['surrogate-control'],
          headers.etag,
        ],
        [caller, undefined, undefined, undefined, '"1"'],
        `${kind}: ${upstream.join(' + ')}`,
      )
    }
    assert.equal((await ask(`/said/${ada.id}`, as.ada)).headers['cache-control'], 'no-cache')
    const open = await ask(`/open/${ada.id}`, as.ada)
    assert.equal(
      open.headers['cache-control'],
      upstream.length === 0 ? undefined : upstream.join(', '),
      'nobody’s own is as it was',
    )
    assert.equal(open.headers['cdn-cache-control'], 'max-age=1')
  }
})

test('AZ3: two who ask for one thing at once get each their own answer', async (context) => {
  const api = await startDocuments(context)
  const { as, ask, ada, bob } = await startCrowd(context, configOf(api.url))
  api.owners.set('adas', ada.id).set('bobs', bob.id)
  const statuses = await Promise.all(
    Array.from({ length: 60 }, async (_, at) => {
      const who = at % 2 === 0 ? 'ada' : 'bob'
      const whose = at % 3 === 0 ? 'ada' : 'bob'
      const { status, body } = await ask(`/${at % 5 === 0 ? 'documents' : 'files'}/${whose}s`, as[who])
      assert.equal(status, who === whose ? 200 : 404)
      if (who === whose) assert.equal(body, `document ${whose}s`)
      return status
    }),
  )
  assert.equal(statuses.length, 60)
})
