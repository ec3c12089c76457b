// CT4: how much is found of what is generated in the published shapes, and how much of what only looks like it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { openSecretScanner } from '../../../src/inspection/secrets/scanner.ts'
import { alphanumeric, characters, digits, hex, lower, upper, url } from './random.ts'

const scanner = openSecretScanner()
const seeds = 24

/** Shapes as their services publish them: how it begins, and what follows. The beginnings are put together here. */
// biome-ignore format: a table
const shapes: readonly (readonly [beginning: readonly string[], length: number, alphabet: string])[] = [
  [['AK', 'IA'], 16, `${upper}234567`], [['AI', 'za'], 35, url], [['GOC', 'SPX-'], 28, url], [['do', 'p_v1_'], 64, hex], [['gh', 'p_'], 36, alphanumeric], [['gh', 'o_'], 36, alphanumeric],
  [['github', '_pat_'], 82, alphanumeric], [['gl', 'pat-'], 20, url], [['np', 'm_'], 36, alphanumeric], [['dckr', '_pat_'], 27, url], [['pul', '-'], 40, hex], [['hv', 's.'], 95, url], [['sk', '-proj-'], 120, url],
  [['sk', '-ant-api03-'], 93, url], [['sk', '-or-v1-'], 64, hex], [['gs', 'k_'], 52, alphanumeric], [['r', '8_'], 37, alphanumeric], [['pc', 'sk_'], 60, url], [['nv', 'api-'], 64, url], [['sk', '_live_'], 24, alphanumeric],
  [['rk', '_live_'], 24, alphanumeric], [['wh', 'sec_'], 32, alphanumeric], [['shp', 'at_'], 32, hex], [['S', 'K'], 32, hex], [['key', '-'], 32, hex], [['lin', '_api_'], 40, alphanumeric], [['fig', 'd_'], 40, url],
  [['glsa', '_'], 41, alphanumeric], [['sntr', 'yu_'], 64, hex], [['ph', 'x_'], 43, alphanumeric], [['dap', 'i'], 32, hex], [['HR', 'KU-'], 60, url], [['nf', 'p_'], 36, alphanumeric], [['rnd', '_'], 32, alphanumeric],
  [['sq', 'p_'], 40, hex], [['sg', 'p_'], 40, hex], [['AGE-SECRET', '-KEY-1'], 58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'], [['rub', 'ygems_'], 48, hex], [['sq0', 'atp-'], 22, url], [['EZ', 'AK'], 54, alphanumeric],
]

const keys = shapes.flatMap(([beginning, length, alphabet], at) =>
  Array.from({ length: seeds }, (_, seed) => beginning.join('') + characters(`shape ${at} ${seed}`, length, alphabet)),
)

const settings: Readonly<Record<string, (key: string) => string>> = {
  'an environment file': (key) => `HOST=a.example\nSERVICE_API_KEY=${key}\nDEBUG=1`,
  code: (key) => `const client = new Client({ apiKey: '${key}' });`,
  JSON: (key) => JSON.stringify({ id: 7, api_key: key }),
  'JSON in JSON': (key) => JSON.stringify({ arguments: JSON.stringify({ file: `A=1\n${key}\nB=2` }) }),
  'an address': (key) => `https://api.example/v1/items?page=2&key=${encodeURIComponent(key)}&sort=up`,
  'a header': (key) => `GET / HTTP/1.1\r\nX-Api-Key: ${key}\r\nHost: a.example`,
  Markdown: (key) => `Here is your key: **${key}**. Keep it.`,
  prose: (key) => `the new one is ${key}, please do not lose it`,
}

suite('CT4: secrets by rate', () => {
  for (const [where, write] of Object.entries(settings))
    test(`at least 85 % of the keys of ${shapes.length} services are found, whole, in ${where}`, () => {
      const rate = rateOf(keys, (key) => isCovered(write(key), key))
      assert.ok(rate >= 0.85, `${Math.round(rate * 1000) / 10} %`)
    })

  test('at least 85 % are found where nothing stands around them', () => {
    const rate = rateOf(keys, (key) => isCovered(key, key))
    assert.ok(rate >= 0.85, `${Math.round(rate * 1000) / 10} %`)
  })

  test('at least 85 % of what has no shape is found where its name tells, and a password in an address', () => {
    const values = Array.from({ length: 200 }, (_, at) => characters(`value ${at}`, 24 + (at % 16), alphanumeric))
    for (const write of [
      (value: string) => `DB_PASSWORD=${value}`,
      (value: string) => `"client_secret": "${value}"`,
      (value: string) => `auth_token: '${value}'`,
      (value: string) => `postgres://app:${value}@db.example:5432/main`,
      (value: string) => `Authorization: Bearer ${value}`,
    ]) {
      const rate = rateOf(values, (value) => isCovered(write(value), value))
      assert.ok(rate >= 0.85, `${write('…')}: ${Math.round(rate * 1000) / 10} %`)
    }
  })

  test('of what only looks like a secret at most 1 in 10 is taken for one', () => {
    const taken = lookAlikes().filter((text) => scanner.scan(text).length > 0)
    const rate = taken.length / lookAlikes().length
    assert.ok(rate <= 0.1, `${Math.round(rate * 1000) / 10} %: ${taken.slice(0, 5).join('\n')}`)
  })
})

function isCovered(text: string, key: string): boolean {
  const written = text.includes(key) ? key : encodeURIComponent(key)
  const start = text.indexOf(written)
  return scanner.scan(text).some((match) => match.start <= start && match.end >= start + written.length)
}

function rateOf(values: readonly string[], isFound: (value: string) => boolean): number {
  return values.filter(isFound).length / values.length
}

/** By chance, and no secrets: ids, sums, commits, pictures, built programs, words that begin as keys do, forms to fill in. */
function lookAlikes(): readonly string[] {
  return Array.from({ length: 40 }, (_, at) => {
    const h = (length: number, of = ''): string => characters(`h ${at} ${of}`, length, hex)
    const a = (length: number, of = ''): string => characters(`a ${at} ${of}`, length, alphanumeric)
    const uuid = `${h(8)}-${h(4, 'b')}-4${h(3, 'c')}-a${h(3, 'd')}-${h(12, 'e')}`
    const sum = createHash('sha512').update(a(20)).digest('base64')
    return [
      `id: ${uuid}`,
      `{"request_id":"${uuid}","trace":"${h(32)}"}`,
      `sha256:${h(64)}`,
      `commit ${h(40)}`,
      `"integrity": "sha512-${sum}"`,
      `<img src="data:image/png;base64,iVBORw0KGgo${a(200)}">`,
      `ETag: "${h(32)}"`,
      `!function(e,t){var n=e.${a(3)},r=t.key=function(){return n.token};r.secret=n.password}(${a(4)});`,
      `/assets/index-${a(8)}.js?v=${h(20)}`,
      `the sk-learn package and task-${at} of sk-based models`,
      `API_KEY=your-api-key-here`,
      `password: "\${DB_PASSWORD}"`,
      `token = request.headers["x-token-${at}"]`,
      `"public_key": "${a(44)}"`,
      `csrf_token=${a(32)}`,
      `next_page_token: "${a(48)}"`,
      `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${a(43)} ada@host`,
      `cursor=${a(60)}`,
      `primary_key: "${characters(`w ${at}`, 12, lower)}_id"`,
      `serial ${characters(`u ${at}`, 4, upper)}-${characters(`d ${at}`, 12, digits)}`,
    ]
  }).flat()
}
