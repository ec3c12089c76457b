// What a stranger can make the house fetch, and what not: against real servers over real TLS.
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Egress, type EgressLimits, type Fetched, type NotFetched, openEgress } from '../../src/http/egress.ts'
import { fetchProblem } from '../../src/http/fetchable.ts'
import { specialPurpose } from '../../src/http/special-purpose.ts'
import { parseAddress } from '../../src/kernel/ip.ts'
import { type TestClock, testClock } from '../support/clock.ts'
import { type HttpsServer, startHttps } from '../support/https-server.ts'

const json: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end('{"a":1}')
}

interface Scene {
  readonly server: HttpsServer
  readonly egress: Egress
  readonly clock: TestClock
  /** The server, by a name of its own. */
  readonly url: (path?: string, name?: string) => string
}

/** Somebody's server, at an address that only this test allows, under any name below `client.example`. */
async function scene(
  context: TestContext,
  answer: RequestListener,
  {
    limits = {},
    resolve = async () => ['127.0.0.1'],
  }: {
    readonly limits?: Partial<EgressLimits>
    readonly resolve?: (name: string) => Promise<readonly string[]>
  } = {},
): Promise<Scene> {
  const server = await startHttps(context, answer)
  const clock = testClock()
  const egress = openEgress({
    clock,
    resolve,
    limits: { timeoutMs: 2_000, ...limits },
    ports: [server.port],
    ca: server.ca,
    allowAddress: (address) => address === '127.0.0.1',
  })
  return {
    server,
    egress,
    clock,
    url: (path = '/', name = 'app') => `https://${name}.client.example:${server.port}${path}`,
  }
}

function fetched(outcome: Fetched | NotFetched): Fetched {
  if ('problem' in outcome) assert.fail(`${outcome.problem}: ${outcome.reason}`)
  return outcome
}

function refused(outcome: Fetched | NotFetched, reason: RegExp): NotFetched {
  if (!('problem' in outcome)) assert.fail(`it was fetched: ${outcome.status} ${outcome.body}`)
  assert.match(`${outcome.problem} ${outcome.reason}`, reason)
  return outcome
}

test('A31: what is asked for is asked for by name, and nothing of ours goes with it', async (context) => {
  const { server, egress, url } = await scene(context, json)
  const answer = fetched(await egress.fetch(url('/doc?x=1'), { accept: 'json' }))
  assert.equal(answer.status, 200)
  assert.equal(answer.body.toString(), '{"a":1}')
  const [request] = server.requests
  assert.equal(request?.url, '/doc?x=1')
  assert.deepEqual(request?.headers, {
    host: `app.client.example:${server.port}`,
    connection: 'close',
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'gatehouse',
  })
})

test('A31: a name that is at a private address for once, and at a public one for show, is fetched from neither', async (context) => {
  for (const addresses of [
    ['127.0.0.1', '10.0.0.1'],
    ['10.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '::1'],
    ['127.0.0.1', '::ffff:169.254.169.254'],
    ['127.0.0.1', 'not an address'],
    ['127.0.0.1', 'fe80::1%lo'],
    [],
  ]) {
    const { server, egress, url } = await scene(context, json, { resolve: async () => addresses })
    refused(await egress.fetch(url()), /could not be fetched/)
    assert.equal(server.connections, 0, addresses.join())
  }
})

test('A31 DNS rebinding: the address that was looked at is the one that is connected to, and nobody asks again', async (context) => {
  let asked = 0
  const { server, egress, url } = await scene(context, json, {
    // Good the first time; afterwards something inside.
    resolve: async () => (asked++ === 0 ? ['127.0.0.1'] : ['127.0.0.2']),
  })
  const inside = await startHttps(context, json, { host: '127.0.0.2', port: server.port, like: server })
  fetched(await egress.fetch(url()))
  assert.equal(asked, 1)
  refused(await egress.fetch(url()), /127\.0\.0\.2/)
  assert.equal(inside.connections, 0)
})

test('A31: of several public addresses, one that answers is enough', async (context) => {
  const { server, url } = await scene(context, json)
  const egress = openEgress({
    clock: testClock(),
    resolve: async () => ['127.0.0.3', '127.0.0.1'],
    ports: [server.port],
    ca: server.ca,
    allowAddress: (address) => address === '127.0.0.1' || address === '127.0.0.3',
  })
  fetched(await egress.fetch(url()))
})

test('A31: no redirect is followed, to the metadata of a cloud or anywhere', async (context) => {
  for (const status of [301, 302, 303, 307, 308]) {
    const { server, egress, url } = await scene(context, (_request, response) => {
      response.writeHead(status, { location: 'http://169.254.169.254/latest/meta-data/' }).end()
    })
    refused(await egress.fetch(url()), /no redirect is followed/)
    assert.equal(server.requests.length, 1)
  }
})

test('A31: what comes a byte at a time ends with the deadline of the whole', { timeout: 10_000 }, async (context) => {
  const limits = { timeoutMs: 400 }
  const drip: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 50)
    response.on('close', () => clearInterval(timer))
  }
  for (const [what, answer] of [
    ['a slow body', drip],
    ['silence', (): void => {}],
  ] as const) {
    const { egress, url } = await scene(context, answer, { limits })
    const began = process.hrtime.bigint()
    refused(await egress.fetch(url()), /took too long/)
    const tookMs = Number(process.hrtime.bigint() - began) / 1e6
    assert.ok(tookMs < 2_000, `${what}: ${tookMs} ms`)
  }
  const { egress, url } = await scene(context, json, { limits, resolve: () => new Promise(() => {}) })
  refused(await egress.fetch(url()), /took too long/)
})

test('A31: a caller who gives up ends it', async (context) => {
  const { egress, url } = await scene(context, () => {})
  refused(await egress.fetch(url(), { signal: AbortSignal.timeout(100) }), /took too long/)
  refused(await egress.fetch(url(), { signal: AbortSignal.abort() }), /took too long/)
})

test('A31: a byte too many is one too many, whether it was announced or not', async (context) => {
  const bodies: Readonly<Record<string, RequestListener>> = {
    '/fits': (_request, response) => response.end('a'.repeat(100)),
    '/announced': (_request, response) => response.writeHead(200, { 'content-length': 101 }).end('a'.repeat(101)),
    '/endless': (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('a'.repeat(50))) {}
        response.once('drain', more)
      }
      more()
    },
    '/headers': (_request, response) => response.writeHead(200, { 'x-long': 'a'.repeat(20_000) }).end(),
  }
  const { egress, url } = await scene(context, (request, response) => bodies[request.url ?? '']?.(request, response))
  assert.equal(fetched(await egress.fetch(url('/fits'), { maxBytes: 100 })).body.byteLength, 100)
  refused(await egress.fetch(url('/announced'), { maxBytes: 100 }), /longer than 100 bytes/)
  refused(await egress.fetch(url('/endless'), { maxBytes: 100 }), /longer than 100 bytes/)
  refused(await egress.fetch(url('/endless'), { maxBytes: 10_000_000 }), /longer than 65536 bytes/)
  refused(await egress.fetch(url('/headers')), /could not be fetched/)
})

test('A31: what is compressed is not unpacked, be it a bomb or not', async (context) => {
  const bomb = gzipSync(Buffer.alloc(10_000_000))
  for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'GZIP', 'gzip, identity']) {
    const { egress, url } = await scene(context, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding }).end(bomb)
    })
    refused(await egress.fetch(url()), /compressed/)
  }
  const { egress, url } = await scene(context, (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'identity' }).end('plain')
  })
  assert.equal(fetched(await egress.fetch(url())).body.toString(), 'plain')
})

test('A31: what is to be JSON says that it is', async (context) => {
  for (const [type, good] of [
    ['application/json', true],
    ['application/json; charset=utf-8', true],
    ['application/jwk-set+json', true],
    ['text/html', false],
    ['text/json', false],
    ['application/jsonp', false],
    ['text/plain; application/json', false],
    ['', false],
  ] as const) {
    const { egress, url } = await scene(context, (_request, response) => {
      response.writeHead(200, type === '' ? {} : { 'content-type': type }).end('{}')
    })
    const outcome = await egress.fetch(url(), { accept: 'json' })
    if (good) fetched(outcome)
    else refused(outcome, /not JSON by its content type/)
    fetched(await egress.fetch(url()))
  }
})

test('A31: a server that cannot show that it is who the address says is not heard', async (context) => {
  const { server, egress, url } = await scene(context, json)
  refused(await egress.fetch(`https://other.example:${server.port}/`), /could not be fetched/)
  assert.equal(server.requests.length, 0)
  const trusting = openEgress({
    clock: testClock(),
    resolve: async () => ['127.0.0.1'],
    ports: [server.port],
    allowAddress: () => true,
  })
  refused(await trusting.fetch(url()), /could not be fetched/)
  assert.equal(server.requests.length, 0)
})

test('A31: no proxy of the environment stands between', async (context) => {
  const { server, egress, url } = await scene(context, json)
  let proxied = 0
  const proxy = createServer().on('connect', (_request, socket) => {
    proxied++
    socket.destroy()
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'ALL_PROXY']) process.env[name] = address
  context.after(() => {
    for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'ALL_PROXY']) delete process.env[name]
    proxy.close()
  })
  fetched(await egress.fetch(url()))
  assert.equal(proxied, 0)
  assert.equal(server.requests.length, 1)
})

test('A31: one server, one owner of servers, one address and all of them together have their budgets for a minute', async (context) => {
  const limits = { perOrigin: 2, perSite: 3, perAddress: 100, inAll: 5 }
  const { egress, clock, url } = await scene(context, json, { limits })
  fetched(await egress.fetch(url('/', 'a')))
  fetched(await egress.fetch(url('/', 'a')))
  refused(await egress.fetch(url('/', 'a')), /budget/)
  fetched(await egress.fetch(url('/', 'b')))
  refused(await egress.fetch(url('/', 'c')), /budget/)
  refused(await egress.fetch('https://else.where.example/'), /could not be fetched/)
  refused(await egress.fetch('https://else.place.example/'), /budget|could not/)
  clock.advance(60_000)
  fetched(await egress.fetch(url('/', 'a')))

  const crowded = await scene(context, json, { limits: { perAddress: 2 } })
  fetched(await crowded.egress.fetch(crowded.url('/', 'a')))
  fetched(await crowded.egress.fetch(crowded.url('/', 'b')))
  refused(await crowded.egress.fetch(crowded.url('/', 'c')), /budget of its address/)

  const full = await scene(context, json, { limits: { inAll: 1 } })
  fetched(await full.egress.fetch(full.url('/', 'a')))
  refused(await full.egress.fetch(full.url('/', 'b')), /budget/)
})

test('A31: one who is slow on purpose does not hold every place', { timeout: 10_000 }, async (context) => {
  const waiting: (() => void)[] = []
  const { egress, url } = await scene(context, (_request, response) => void waiting.push(() => response.end()), {
    limits: { atOncePerSite: 2, atOnce: 3, timeoutMs: 5_000 },
  })
  const slow = [egress.fetch(url('/', 'a')), egress.fetch(url('/', 'b'))]
  refused(await egress.fetch(url('/', 'c')), /under way/)
  while (waiting.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  for (const end of waiting) end()
  for (const one of await Promise.all(slow)) fetched(one)
  const after = egress.fetch(url('/', 'c'))
  while (waiting.length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
  waiting[2]?.()
  fetched(await after)
})

test('A31: whoever asks does not learn what a name is inside, or who listens there', async (context) => {
  const { egress, url } = await scene(context, json, {
    resolve: async (name) => {
      if (name.startsWith('inside')) return ['10.0.0.1']
      if (name.startsWith('nobody')) return []
      if (name.startsWith('broken')) throw new Error('SERVFAIL')
      return ['127.0.0.1']
    },
  })
  const dead = `https://app.client.example/` // nobody listens on 443 here
  const told = new Set<string>()
  for (const address of [url('/', 'inside'), url('/', 'nobody'), url('/', 'broken'), dead])
    told.add(refused(await egress.fetch(address), /could not be fetched/).problem)
  assert.equal(told.size, 1)
})

test('A31: as the fetch of a library it gives the same, and says itself how long it is good', async (context) => {
  const { egress, url } = await scene(context, (request, response) => {
    const control = decodeURIComponent((request.url ?? '').slice(2))
    response.writeHead(200, {
      'content-type': 'application/json',
      'set-cookie': 'a=1',
      expires: 'Fri, 01 Jan 2100 00:00:00 GMT',
      ...(control === '' ? {} : { 'cache-control': control }),
    })
    response.end('{"keys":[]}')
  })
  const fetch = egress.asFetch()
  for (const [control, kept] of [
    ['', 60],
    ['max-age=600', 600],
    ['public, MAX-AGE="700"', 700],
    ['max-age=5', 60],
    ['max-age=99999999', 3600],
    ['max-age=999999999999999999999', 60],
    ['no-store, max-age=600', 60],
  ] as const) {
    const answer = await fetch(url(`/?${encodeURIComponent(control)}`), {})
    assert.deepEqual(await answer.json(), { keys: [] })
    assert.deepEqual(Object.fromEntries(answer.headers), {
      'cache-control': `max-age=${kept}`,
      'content-type': 'application/json',
    })
  }
  await assert.rejects(fetch('https://10.0.0.1/'), TypeError)
  await assert.rejects(fetch(url(), { method: 'POST', body: 'x' }), TypeError)
})

test('A31: the machine’s own resolver is asked where none is given, and its silence is no answer', async () => {
  const egress = openEgress({ clock: testClock(), limits: { timeoutMs: 1_000 } })
  refused(await egress.fetch('https://no-such-name.client.example/'), /could not be fetched/)
})

test('A31: an address that is read in two ways, or cannot be public, is not resolved', async () => {
  let resolved = 0
  const egress = openEgress({
    clock: testClock(),
    resolve: async () => {
      resolved++
      return ['127.0.0.1']
    },
  })
  for (const [what, address] of [
    ['plain http', 'http://client.example/'],
    ['another scheme', 'ftp://client.example/'],
    ['a file', 'file:///etc/passwd'],
    ['another port', 'https://client.example:8443/'],
    ['the usual port, said', 'https://client.example:443/'],
    ['loopback', 'https://127.0.0.1/'],
    ['loopback in decimal', 'https://2130706433/'],
    ['loopback in octal', 'https://0177.0.0.1/'],
    ['loopback in hexadecimal', 'https://0x7f000001/'],
    ['loopback, short', 'https://127.1/'],
    ['loopback in full width digits', 'https://１２７.0.0.1/'],
    ['loopback in IPv6', 'https://[::1]/'],
    ['loopback, mapped', 'https://[::ffff:127.0.0.1]/'],
    ['loopback, mapped, in groups', 'https://[::ffff:7f00:1]/'],
    ['loopback, translated', 'https://[64:ff9b::7f00:1]/'],
    ['loopback by 6to4', 'https://[2002:7f00:1::]/'],
    ['Teredo', 'https://[2001:0:53aa:64c:0:0:80ff:fffe]/'],
    ['link local with a zone', 'https://[fe80::1%25eth0]/'],
    ['unique local', 'https://[fd00:ec2::254]/'],
    ['private', 'https://192.168.1.1/'],
    ['the metadata of a cloud', 'https://169.254.169.254/'],
    ['the metadata of another', 'https://168.63.129.16/'],
    ['this machine by name', 'https://localhost/'],
    ['this machine by a name below', 'https://a.localhost/'],
    ['a name of the office', 'https://intranet/'],
    ['a name of the office, below', 'https://wiki.internal/'],
    ['a name of the home', 'https://printer.local/'],
    ['the metadata of a third', 'https://metadata.google.internal/computeMetadata/'],
    ['a dot at the end', 'https://client.example./'],
    ['a user name', 'https://client.example@evil.example/'],
    ['a user name and a password', 'https://a:b@client.example/'],
    ['an empty user name', 'https://@client.example/'],
    ['a fragment', 'https://client.example/#a'],
    ['a backslash', 'https:\\\\client.example\\'],
    ['a tab', 'https://client\t.example/'],
    ['a space before', ' https://client.example/'],
    ['a dot segment', 'https://client.example/a/../b'],
    ['capitals', 'https://CLIENT.example/'],
    ['length', `https://client.example/${'a'.repeat(2000)}`],
    ['nothing', ''],
  ] as const) {
    refused(await egress.fetch(address), /cannot be fetched/)
    assert.notEqual(fetchProblem(address), undefined, what)
  }
  assert.equal(resolved, 0)
})

test('A31: RFC 6890 and its registries: the first and the last address of each range are no public hosts, those beside are', () => {
  for (const [first, last, before, behind] of [
    ['0.0.0.0', '0.255.255.255', undefined, '1.0.0.0'],
    ['10.0.0.0', '10.255.255.255', '9.255.255.255', '11.0.0.0'],
    ['100.64.0.0', '100.127.255.255', '100.63.255.255', '100.128.0.0'],
    ['127.0.0.0', '127.255.255.255', '126.255.255.255', '128.0.0.0'],
    ['169.254.0.0', '169.254.255.255', '169.253.255.255', '169.255.0.0'],
    ['172.16.0.0', '172.31.255.255', '172.15.255.255', '172.32.0.0'],
    ['192.0.0.0', '192.0.0.255', '191.255.255.255', '192.0.1.0'],
    ['192.0.2.0', '192.0.2.255', '192.0.1.255', '192.0.3.0'],
    ['192.31.196.0', '192.31.196.255', '192.31.195.255', '192.31.197.0'],
    ['192.52.193.0', '192.52.193.255', '192.52.192.255', '192.52.194.0'],
    ['192.88.99.0', '192.88.99.255', '192.88.98.255', '192.88.100.0'],
    ['192.168.0.0', '192.168.255.255', '192.167.255.255', '192.169.0.0'],
    ['192.175.48.0', '192.175.48.255', '192.175.47.255', '192.175.49.0'],
    ['198.18.0.0', '198.19.255.255', '198.17.255.255', '198.20.0.0'],
    ['198.51.100.0', '198.51.100.255', '198.51.99.255', '198.51.101.0'],
    ['203.0.113.0', '203.0.113.255', '203.0.112.255', '203.0.114.0'],
    ['224.0.0.0', '255.255.255.255', '223.255.255.255', undefined],
    ['::ffff:127.0.0.1', '::ffff:10.0.0.1', undefined, '::ffff:1.1.1.1'],
    ['64:ff9b::a00:1', '64:ff9b::ffff:ffff', undefined, '64:ff9b::101:101'],
    ['::', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', undefined, '2000::'],
    ['2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', '2000:ffff::', '2001:200::'],
    ['2001:db8::', '2001:db8:ffff:ffff::', '2001:db7:ffff::', '2001:db9::'],
    ['2002::', '2002:ffff::', '2001:ffff::', '2003::'],
    ['2620:4f:8000::', '2620:4f:8000:ffff::', '2620:4f:7fff::', '2620:4f:8001::'],
    ['3fff::', '3fff:fff:ffff::', '3ffe:ffff::', '3fff:1000::'],
    ['4000::', 'ffff::', undefined, undefined],
    ['fc00::', 'fdff::', undefined, undefined],
    ['fe80::', 'febf::', undefined, undefined],
    ['fec0::', 'ff02::1', undefined, undefined],
    ['64:ff9b:1::', '64:ff9b:1:ffff::', undefined, undefined],
    ['100::', '100:0:0:1::', undefined, undefined],
    ['::7f00:1', '::ffff:0:127.0.0.1', undefined, undefined],
  ] as const) {
    for (const inside of [first, last]) assert.notEqual(purposeOf(inside), undefined, inside)
    for (const outside of [before, behind])
      if (outside !== undefined) assert.equal(purposeOf(outside), undefined, outside)
  }
  assert.equal(purposeOf('168.63.129.15'), undefined)
  assert.equal(purposeOf('168.63.129.17'), undefined)
})

function purposeOf(text: string): string | undefined {
  const address = parseAddress(text)
  assert.ok(address, text)
  return specialPurpose(address)
}
