import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { command as inspect } from '../../src/cli/inspect.ts'
import { startHouse, startUpstream } from '../support/house.ts'
import { run } from './in-process.ts'

function folder(config?: object): readonly string[] {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const path = join(dir, 'gatehouse.config.json')
  writeFileSync(path, JSON.stringify(config ?? { inspection: { injection: 'block' } }))
  return ['--config', path, '--data', dir]
}

test('CT3: a text is judged by command: what, where, how sure, which rule; exit 1 where it would be refused', async () => {
  const attack = await run(inspect, ['text', "x' OR 'a'='a", '--as', 'query', '--name', 'q', ...folder()])
  assert.equal(attack.code, 1)
  assert.match(attack.out, /^sql \d+ % at query q \(sql\/\w+\), characters \d+ to \d+\n/)
  assert.match(attack.out, /it would be refused \(\d+ %; the threshold is 50 %\)\n$/)

  const honest = await run(inspect, ['text', "O'Brien said: select a plan or update it", ...folder()])
  assert.deepEqual([honest.code, honest.out], [0, 'nothing was found\n'])

  const json = await run(inspect, ['text', "x' OR 'a'='a", '--json', ...folder()])
  const { refused, score, findings } = JSON.parse(json.out)
  assert.deepEqual([json.code, refused, score > 0.5, findings[0].what], [1, true, true, 'sql'])
  assert.ok(!json.out.includes('OR'), 'what was found is not repeated')
})

test('CT3: the configuration decides: a route that logs lets on, and what is allowed is not found', async () => {
  const config = {
    upstreams: { api: 'http://127.0.0.1:1' },
    inspection: { injection: { mode: 'block', allow: [{ field: 'body /template', rule: 'template/*' }] } },
    routes: [{ path: '/notes/:id', methods: ['PUT'], access: 'public', to: 'api', inspection: { injection: 'log' } }],
  }
  const at = folder(config)
  const attack = '<script>alert(1)</script>'
  assert.equal((await run(inspect, ['text', attack, ...at])).code, 1)
  const lax = await run(inspect, ['text', attack, '--route', 'PUT /notes/:id', ...at])
  assert.equal(lax.code, 0)
  assert.match(lax.out, /^xss .*\n(?:.*\n)*it would go on\n$/)
  const mustache = (name: string) => run(inspect, ['text', '{{7*7}}', '--name', name, ...at])
  assert.equal((await mustache('/other')).code, 1)
  assert.deepEqual(await mustache('/template'), { code: 0, out: 'nothing was found\n', err: '' })
  const unknown = await run(inspect, ['text', 'x', '--route', 'GET /nowhere', ...at])
  assert.deepEqual([unknown.code, unknown.err.startsWith('--route: there is no `GET /nowhere`')], [2, true])
})

test('CT3: a whole request is judged as it goes over the wire, each finding at its place', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'gatehouse-')), 'request.txt')
  writeFileSync(
    path,
    'POST /a?q=%3Csvg%2Fonload%3Dalert(1)%3E HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n{"file":["../../../../etc/passwd"]}',
  )
  const judged = await run(inspect, ['request', path, ...folder()])
  assert.equal(judged.code, 1, judged.err)
  assert.match(judged.out, /xss \d+ % at query q /)
  assert.match(judged.out, /traversal \d+ % at body \/file\/0 /)

  writeFileSync(path, 'hello')
  const broken = await run(inspect, ['request', path, ...folder()])
  assert.deepEqual([broken.code, /begins with a line such as `GET/.test(broken.err)], [2, true], broken.err)
})

test('CT3: the record is weighed by other thresholds, and says which requests would be refused', async (context: TestContext) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const config = {
    store: `sqlite:${dataDir}/gatehouse.db`,
    inspection: { injection: { mode: 'block' as const, threshold: 0.999 } },
    routes: [{ path: '/search', access: 'public' as const, to: 'api' }],
  }
  const upstream = await startUpstream(context, (_request, response) => response.end('ok'))
  const house = await startHouse(context, { ...config, upstreams: { api: upstream.url } }, { dataDir })
  const asked = async (q: string): Promise<number> =>
    (await fetch(`${house.url}/search?q=${encodeURIComponent(q)}`, { headers: { 'user-agent': 'Mozilla/5.0' } })).status
  assert.equal(await asked("x' OR 'a'='a"), 200)
  assert.equal(await asked('shoes'), 200)
  await house.close()

  const path = join(dataDir, 'gatehouse.config.json')
  writeFileSync(path, JSON.stringify({ ...config, upstreams: { api: 'http://127.0.0.1:1' } }))
  const replay = (...args: string[]) => run(inspect, ['replay', '--config', path, '--data', dataDir, ...args])
  const strict = await replay('--threshold', '0.5')
  assert.equal(strict.code, 0, strict.err)
  assert.match(strict.out, /^2 requests, 1 with findings of injection: 0 were refused, 1 would be\n/)
  assert.match(strict.out, /would be refused, and went on:\n +1 {2}\* \/search: sql\/[\w-]+ at query q\n/)
  const lax = JSON.parse((await replay('--threshold', '0.5', '--family', 'sql=1', '--json')).out)
  assert.deepEqual([lax.requests, lax.refusedNow], [2, 0])
  const wrong = await replay('--family', 'sequel=1')
  assert.deepEqual([wrong.code, /--family: expected one of sql, /.test(wrong.err)], [2, true], wrong.err)
})
