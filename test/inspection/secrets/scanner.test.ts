import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { suite, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { openSecretScanner } from '../../../src/inspection/secrets/scanner.ts'
import { base62, writeKeyText } from '../../../src/kernel/key-text.ts'
import { linearMax } from '../../support/growth.ts'
import { growth } from '../personal/timing.ts'
import { alphanumeric, characters, digits, hex, lower, upper, url } from './random.ts'

const scanner = openSecretScanner()

function found(text: string, name?: string): string[] {
  return scanner.scan(text, name).map(({ start, end }) => text.slice(start, end))
}

const a = (length: number, seed = ''): string => characters(`a${seed}`, length, alphanumeric)
const h = (length: number, seed = ''): string => characters(`h${seed}`, length, hex)
const u = (length: number): string => `${characters('u', length - 1, url)}7`
const capitals = (length: number): string => characters('c', length, `${upper}234567`)
const uuid = `${h(8)}-${h(4, '2')}-4${h(3)}-a${h(3, '3')}-${h(12)}`

/** Each rule of a service: its credential is put together here. */
// biome-ignore format: a table
const services: readonly (readonly [rule: string, parts: readonly string[]])[] = [
  ['aws-access-key', ['AK', 'IA', capitals(16)]], ['aws-access-key', ['AS', 'IA', capitals(16)]], ['gcp-api-key', ['AI', 'za', u(35)]], ['google-oauth-secret', ['GOC', 'SPX-', u(28)]], ['google-oauth-token', ['ya', '29.', u(60)]],
  ['alibaba-access-key', ['LT', 'AI', a(20)]], ['tencent-secret-id', ['AK', 'ID', a(32)]], ['digitalocean-token', ['do', 'p_v1_', h(64)]], ['heroku-key', ['HR', 'KU-', u(60)]], ['fly-token', ['fo', '1_', u(43)]], ['netlify-token', ['nf', 'p_', a(36)]],
  ['supabase-key', ['sb', 'p_', h(40)]], ['planetscale-token', ['psc', 'ale_tkn_', a(43)]], ['databricks-token', ['da', 'pi', h(32)]], ['cloudflare-origin-key', ['v1', '.0-', h(24), '-', h(146)]], ['openshift-token', ['sha', '256~', u(43)]],
  ['github-token', ['gh', 'p_', a(36)]], ['github-token', ['gh', 's_', a(36)]], ['github-pat', ['github', '_pat_', a(22), '_', a(59)]], ['gitlab-token', ['gl', 'pat-', u(20)]], ['gitlab-token', ['gl', 'rt-', u(20)]], ['gitlab-token', ['GR', '1348941', u(20)]],
  ['atlassian-token', ['ATA', 'TT3', u(186)]], ['npm-token', ['np', 'm_', a(36)]], ['pypi-token', ['py', 'pi-AgEIcHlwaS5vcmc', u(70)]], ['rubygems-key', ['rub', 'ygems_', h(48)]], ['crates-token', ['ci', 'o', a(32)]], ['nuget-key', ['oy', '2', characters('n', 43, lower + digits)]],
  ['clojars-token', ['CLO', 'JARS_', a(60)]], ['docker-token', ['dck', 'r_pat_', u(27)]], ['jfrog-key', ['AK', 'Cp', a(69)]], ['pulumi-token', ['pu', 'l-', h(40)]], ['doppler-token', ['dp', '.pt.', a(43)]], ['vault-token', ['hv', 's.', u(95)]], ['infracost-key', ['ic', 'o-', a(32)]],
  ['prefect-key', ['pn', 'u_', a(36)]], ['octopus-key', ['AP', 'I-', characters('o', 26, upper + digits)]], ['harness-token', ['pa', 't.', u(22), '.', h(24), '.', a(20)]], ['sonar-token', ['sq', 'u_', h(40)]], ['sourcegraph-token', ['sg', 'p_', h(40)]], ['tailscale-key', ['tsk', 'ey-auth-', a(12), '-', a(32)]],
  ['age-key', ['AGE-SE', 'CRET-KEY-1', characters('g', 58, 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L')]], ['openai-key', ['sk', '-proj-', u(120)]], ['openai-key', ['sk', '-', a(20), 'T3Blb', 'kFJ', a(20, 'x')]], ['anthropic-key', ['sk', '-ant-api03-', u(93), 'AA']],
  ['model-provider-key', ['sk', '-', a(48)]], ['openrouter-key', ['sk', '-or-v1-', h(64)]], ['huggingface-token', ['h', 'f_', characters('f', 34, upper + lower)]], ['replicate-token', ['r', '8_', a(37)]], ['groq-key', ['gs', 'k_', a(52)]], ['perplexity-key', ['pp', 'lx-', a(48)]],
  ['langchain-key', ['lsv', '2_pt_', h(32), '_', h(10)]], ['nvidia-key', ['nv', 'api-', u(64)]], ['slack-token', ['xo', 'xb-', characters('s', 12, digits), '-', characters('t', 12, digits), '-', a(24)]], ['slack-app-token', ['xa', 'pp-1-A', a(10).toUpperCase(), '-', characters('s', 13, digits), '-', h(64)]],
  ['slack-webhook', ['hooks.sl', 'ack.com/services/T', capitals(8), '/B', capitals(8), '/', a(24)]], ['discord-webhook', ['discord.c', 'om/api/webhooks/', characters('d', 18, digits), '/', u(68)]], ['stripe-key', ['sk', '_live_', a(24)]], ['stripe-key', ['rk', '_test_', a(99)]],
  ['webhook-signing-secret', ['wh', 'sec_', a(32)]], ['square-token', ['sq', '0atp-', u(22)]], ['square-token', ['EA', 'AA', u(60)]], ['facebook-token', ['EA', 'AC', a(120)]], ['razorpay-key', ['rzp', '_live_', a(14)]], ['lob-key', ['li', 've_', h(35)]], ['plaid-token', ['acc', 'ess-sandbox-', uuid]],
  ['duffel-token', ['duf', 'fel_test_', u(43)]], ['easypost-key', ['EZ', 'AK', a(54)]], ['shippo-token', ['ship', 'po_live_', h(40)]], ['shopify-token', ['shp', 'at_', h(32)]], ['woocommerce-key', ['c', 'k_', h(40)]], ['twilio-key', ['S', 'K', h(32)]], ['sendgrid-key', ['S', 'G.', u(22), '.', u(43)]],
  ['brevo-key', ['xkey', 'sib-', h(64), '-', a(16)]], ['mailgun-key', ['ke', 'y-', h(32)]], ['mailchimp-key', [h(32), '-u', 's12']], ['resend-key', ['r', 'e_', a(8), '_', a(24)]], ['postman-key', ['PM', 'AK-', h(24), '-', h(34)]], ['linear-key', ['lin', '_api_', a(40)]], ['notion-token', ['nt', 'n_', a(46)]],
  ['figma-token', ['fi', 'gd_', u(40)]], ['airtable-token', ['pa', 't', a(14), '.', h(64)]], ['hubspot-token', ['pat', '-na1-', uuid]], ['contentful-token', ['CF', 'PAT-', u(43)]], ['dropbox-token', ['s', 'l.', u(140)]], ['new-relic-key', ['NR', 'AK-', characters('r', 27, upper + digits)]],
  ['grafana-key', ['gl', 'sa_', a(32), '_', h(8)]], ['sentry-token', ['sn', 'tryu_', h(64)]], ['dynatrace-token', ['dt', '0c01.', capitals(24), '.', capitals(64)]], ['typeform-token', ['tf', 'p_', u(59)]], ['readme-key', ['rd', 'me_', characters('m', 70, lower + digits)]], ['scalingo-token', ['tk', '-us-', u(48)]],
  ['intra42-secret', ['s-s4', 't2ud-', h(64)]], ['adobe-secret', ['p8', 'e-', a(32)]], ['rootly-key', ['roo', 'tly_', h(64)]], ['terraform-token', [a(14), '.atla', 'sv1.', u(64)]], ['azure-client-secret', [`${a(3)}8`, 'Q', '~', u(33)]], ['telegram-token', [characters('9', 10, '123456789'), ':A', 'A', u(33)]],
  ['maxmind-key', [a(6), '_', a(29), '_m', 'mk']], ['braintree-token', ['access', '_token$production$', characters('b', 16, lower + digits), '$', h(32)]], ['flutterwave-key', ['FLW', 'SECK_TEST-', h(12)]], ['frameio-token', ['fi', 'o-u-', u(64)]], ['gitlab-session', ['_git', 'lab_session=', h(32)]],
  ['launchdarkly-key', ['sd', 'k-', uuid]], ['posthog-key', ['ph', 'x_', a(43)]], ['apify-token', ['api', 'fy_api_', a(36)]], ['wakatime-key', ['wa', 'ka_', uuid]], ['zuplo-key', ['zp', 'ka_', h(32), '_', h(8)]], ['deno-token', ['dd', 'p_', a(36)]],
]

suite('CT4: API keys of services are found wherever they stand', () => {
  for (const [rule, parts] of services) {
    const secret = parts.join('')
    test(`${rule}: ${secret.slice(0, 8)}…`, () => {
      for (const text of [
        secret,
        `the key is ${secret}, keep it`,
        `{"k":"${secret}"}`,
        `X_VALUE=${secret}\nNEXT=1`,
        `(${secret})`,
      ]) {
        const [match, ...others] = scanner.scan(text)
        assert.deepEqual(others, [])
        assert.ok(
          match !== undefined &&
            match.start <= text.indexOf(secret) &&
            match.end >= text.indexOf(secret) + secret.length,
          text,
        )
      }
      assert.ok(
        scanner.scan(`so ${secret} it`).some((match) => match.rule === `secret/${rule}`),
        `${scanner.scan(`so ${secret} it`)[0]?.rule}`,
      )
    })
  }
})

suite('CT4: credentials of any house', () => {
  test('private keys, with line breaks as they are and as escapes, and no public ones', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim()
    for (const text of [pem, pem.replaceAll('\n', '\\n'), pem.replaceAll('\n', '\r\n')])
      assert.deepEqual(found(`key: "${text}" end`), [text])
    assert.deepEqual(found(pem.slice(0, 400)), [pem.slice(0, 400)], 'cut off')
    assert.deepEqual(found(publicKey.export({ type: 'spki', format: 'pem' }).toString()), [])
    assert.deepEqual(found(`-----BEGIN ${'PRIVATE'} KEY-----\n...\n-----END ${'PRIVATE'} KEY-----`), [])
  })

  test('JWTs whose header names an algorithm', () => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const jwt = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: '1', name: 'a' })}.${u(43)}`
    assert.deepEqual(found(`Cookie: session=${jwt}; a=b`), [jwt])
    assert.deepEqual(found(`${part({ typ: 'JWT', none: 'here' })}.${part({ sub: '1' })}.${u(43)}`), [])
  })

  test('our own keys and tokens; a mistyped key is still one of the token family', () => {
    const key = writeKeyText('gh_live', 'a1B2c3D4e5F6g7H', a(43))
    assert.deepEqual(
      scanner.scan(`use ${key}.`).map(({ rule }) => rule),
      ['secret/gatehouse-key'],
    )
    assert.deepEqual(found(`use ${key}.`), [key])
    assert.deepEqual(found(`use ${['gh', 'rt', u(43)].join('_')} now`), [['gh', 'rt', u(43)].join('_')])
  })

  test('a right checksum of a GitHub token makes it surer', () => {
    const body = a(30)
    const sum = base62(BigInt(crc32(body)), 6)
    const [right] = scanner.scan(`${'gh'}p_${body}${sum}`)
    const [wrong] = scanner.scan(`${'gh'}p_${body}${sum.slice(0, 5)}${sum.endsWith('a') ? 'b' : 'a'}`)
    assert.ok((right?.confidence ?? 0) > (wrong?.confidence ?? 1))
  })

  test('passwords in connection strings, and only the password', () => {
    for (const scheme of ['postgres', 'mysql', 'mongodb+srv', 'redis', 'amqp', 'https', 'ftp', 'smtp'])
      assert.deepEqual(found(`${scheme}://app:q7-Xw_92@db.internal:5432/main?x=1`), ['q7-Xw_92'], scheme)
    assert.deepEqual(found('redis://:q7-Xw_92@cache'), ['q7-Xw_92'])
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: texts that hold one
    for (const text of [
      'postgres://user:password@localhost/db',
      'postgres://postgres:postgres@db',
      'https://user:${TOKEN}@host',
      'https://<user>:<password>@host',
      'http://host:8080/a@b',
      'https://example.com/@user:name',
      'postgres://app:$PASS@db',
    ])
      assert.deepEqual(found(text), [], text)
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: texts that hold one
  })

  test('what authorizes in headers and on command lines', () => {
    const basic = Buffer.from('ada:q7-Xw_92x').toString('base64')
    assert.deepEqual(found(`Authorization: Basic ${basic}`), [basic])
    assert.deepEqual(found(`Authorization: Bearer ${u(40)}`), [u(40)])
    assert.deepEqual(found(`-H 'X-Api-Key: ${h(32)}'`), [h(32)])
    assert.deepEqual(found('curl -s -u ada:q7-Xw_92x https://example.com'), ['q7-Xw_92x'])
  })

  const value = a(32)
  for (const text of [
    `api_key = "${value}"`, `API_KEY=${value}`, `"apiKey": "${value}"`, `apiKey: '${value}',`, `client-secret: ${value}`, `<token>${value}</token>`, `setProperty("SECRET_KEY", "${value}")`, `"token" => "${value}"`, `token := \`${value}\``, `String authToken = "${value}";`,
    `var token string = "${value}"`, `{\\"access_token\\":\\"${value}\\"}`, `TOKEN ?= ${value}`, `secret || "${value}"`, `export ACME_SECRET=${value}`, `--api-key=${value}`, `?access_token=${value}&x=1`, `AccountKey=${value};Endpoint=x`,
    `datadog = "${h(32)}"`, `HEROKU_API_KEY=${uuid}`, `private_key: ${h(64)}`, `"{\\"SECRET=${value}\\nNEXT=1\\"}"`,
  ]) // biome-ignore format: texts
    test(`assigned: ${text.slice(0, 30)}`, () => {
      const [match] = found(text)
      assert.ok(match !== undefined && [value, h(32), h(64), uuid].includes(match), `${match}`)
    })

  test('passwords as people make them up', () => {
    for (const [text, password] of [
      ['password = "Tr0ub4dor&3"', 'Tr0ub4dor&3'],
      ['DB_PASSWORD=kV9!mmq2', 'kV9!mmq2'],
      ['"pwd":"s3cur3-horse-77"', 's3cur3-horse-77'],
      ['Password=kV9mmq2z;Server=x', 'kV9mmq2z'],
    ] as const)
      assert.deepEqual(found(text), [password])
  })

  test('the name of a member tells of its value', () => {
    assert.deepEqual(found(value, 'clientSecret'), [value])
    assert.deepEqual(found('kV9!mmq2', 'password'), ['kV9!mmq2'])
    assert.deepEqual(found(value, 'etag'), [])
    assert.deepEqual(found('a sentence about 1 thing', 'password'), [])
  })
})

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: texts that hold one
suite('CT4: what only looks like a credential is left alone', () => {
  for (const text of [
    'password = "changeme"', 'password: "password123"', 'PASSWORD=${DB_PASSWORD}', 'password = os.environ["DB_PASSWORD"]', 'password: process.env.PASSWORD', 'password=<your-password>', 'password: ********', 'password = getPassword()', 'password: string', 'password?: string;',
    'passwordHash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4"', 'const token = await getToken(user)', 'token = request.headers.authorization', 'token_type: bearer', 'max_tokens=4096', 'tokenizer: "cl100k_base"', 'token: "your-token-here-1234567890"', 'api_key: "YOUR_API_KEY_123456789"',
    'api_key = "xxxxxxxxxxxxxxxxxxxxxxxx"', 'apiKey: "example-api-key-1234567890"', 'secret: {{ .Values.secret }}', 'secretName: my-app-secret-v2-prod1', 'key: "users.profile.settings.title2"', 'primary_key = "id_2024_11_30_abcdef"', 'cache-key: v2-Linux-node-modules-7f8a9b1c2d',
    'publicKey: "04bfcab8722991ae774db48f934ca79cfb7dd991229153b9f732ba5334aafcd8e7"', 'commit: 9fceb02d0ae598e95dc970b74767f19372d61af8', 'integrity: "sha512-2jmj7l5rSw0yVb/vlWAYkK/YBwk2jmj7l5rSw0yVb=="', 'sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'id: 550e8400-e29b-41d4-a716-446655440000', 'etag: "33a64df551425fcc55e4d42a148795d9f25f89d4"', 'csrf_token: 8f14e45fceea167a5a36dedd4bea2543', 'next_page_token: "CAUQAA8f14e45fceea167a5a36dedd"', 'background: url(data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUA)',
    '.btn-primary-key-4f2a9c { color: red }', 'className="sk-fading-circle sk-circle10 sk-child"', 'sk-learn-contrib and sk-folding-cube4 styles', 'import { key_2024 } from "npm_config_registry"', 'npm_package_dependencies_lodash_version', 'AKIAIOSFODNN7' + 'EXAMPLE', 'ghp_' + 'x'.repeat(36), 'glpat-' + 'X'.repeat(20),
    'sk_live_' + '0'.repeat(24), 'sk-' + 'your-key-goes-here-please', 'Bearer token is required', 'Authorization: Bearer <token>', 'Authorization: Bearer ${token}', 'Authorization: Basic base64', 'the secret: always be kind to others', 'password: at least 8 characters', 'auth: { type: "oauth2" }',
    'author = "Jane Doe 1985 jane@corp"', 'monkey: 1234567890abcdef12', 'keyboard = "logitech-mx-3000-keys"', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxT3Q8vH2m0o7uWc5k6y9 a@b', 'token.length > 16', 'if (token === "refresh_token") {', 'SECRET_PATH=/run/secrets/db1_password', 'key_file: /etc/ssl/private/server1.key',
    'secret_arn: arn:aws:secretsmanager:eu-west-1:123456789012:secret:db', 'api-version: 2024-02-15-preview', 'key: value1', 'license_key_url: https://a.example/v1/keys/83hf93hf', 'pwd=/home/user/project2', 'pass: true', 'compass: 123north456', 'hf_hub_download(repo_id, filename)', 's.replace(pattern, replacement)',
    'pk_' + 'live_' + 'abcDEF123', 'function authenticate2024User(token1) {}', 'gh_cl_config_value', 'xoxb-' + 'your-token', 'MY_TOKEN_COUNT=12345678901234567890', 'sessionKey = makeKey(userId, 42)', 'const apiKeyHeader = "x-api-key-v2"', 'the pattern is password=[A-Za-z0-9]{8,}',
  ]) // biome-ignore format: texts
    test(text.slice(0, 60), () => assert.deepEqual(found(text), [], text))
})

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: texts that hold one

suite('time grows in proportion to the text', () => {
  // biome-ignore format: pieces
  for (const piece of [
    '=', ':', '://', 'a://b:c', '"', 'password=', 'token:"', 'key = ', 'eyJ', 'eyJhbGciOiJI.', '_', `_${'a'.repeat(15)}`, '-----BEGIN ', `-----BEGIN ${'PRIVATE'} KEY-----`, `${'AK'}IA`, `${'gh'}p_a`, 'sk-', 'sk-a', 'Bearer ', 'Basic a', '-u a:', '|', ':A', 'Q~',
    `T3Blb${'kFJ'}`, '.atlasv1.', '-us1', '[', '\\', 'a', '1', '%25', 'x.', `${'xo'}xb-`, 'curl -u a:b ', 'PuTTY', 'Private-Lines: 1\n', 'eyJhbGciOiJub25lIn0.eyJh.', '>', ',"',
  ])
    test(JSON.stringify(piece.slice(0, 24)), () => {
      const ratio = growth((text) => scanner.scan(text), piece)
      assert.ok(ratio < linearMax, `${ratio.toFixed(1)} times as long for four times the text`)
    })
})
