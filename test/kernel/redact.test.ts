import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLogger } from '../../src/kernel/logger.ts'

const secrets = {
  password: 'hunter2-hunter2',
  token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl',
  refresh: 'gh_rt_0199f8c2.1.c2VjcmV0c2VjcmV0.dGFn',
  key: 'k-0123456789abcdef',
}

test('DP4 A62: no line of the log holds a secret, wherever it stands and however it is spelled', () => {
  let written = ''
  const log = openLogger('debug', { write: (line: string) => void (written += line) })
  log.info(
    { Password: secrets.password, deep: { list: [{ 'X-API-KEY': secrets.key }, { accessToken: secrets.token }] } },
    'fields',
  )
  log.info(
    { header: `Bearer ${secrets.token}`, other: `basic ${Buffer.from(secrets.password).toString('base64')}` },
    'texts',
  )
  log.info({}, `a message with ${secrets.token} and ${secrets.refresh}`)
  log.info({ url: `/callback?code=${secrets.key}&access_token=${secrets.key}` }, 'query')
  log.info(
    { body: JSON.stringify({ password: secrets.password, nested: { client_secret: secrets.key } }) },
    'json in a text',
  )
  log.info({ store: `postgres://root:${secrets.password}@db/x` }, 'address')
  log.error(
    { err: Object.assign(new Error(`failed with ${secrets.token}`), { cause: new Error(secrets.refresh) }) },
    'error',
  )
  log.info({ AUTHORIZATION: ['Bearer', secrets.key], cookie: { session: secrets.key } }, 'whole fields')
  for (const secret of [...Object.values(secrets), Buffer.from(secrets.password).toString('base64')]) {
    assert.ok(!written.includes(secret), `${secret} is in the log:\n${written}`)
  }
  assert.match(written, /"failed with \[redacted\]"/)
})

test('A62: what a caller wrote cannot forge a line', () => {
  let written = ''
  openLogger('info', { write: (line: string) => void (written += line) }).info(
    { path: '/a\n{"level":"info","msg":"forged"}' },
    'one\nline',
  )
  assert.equal(written.trimEnd().split('\n').length, 1)
})

test('facts about tokens that are none themselves stay readable', () => {
  let written = ''
  openLogger('info', { write: (line: string) => void (written += line) }).info(
    { token_type: 'access', token_id: 'abc', status: 200 },
    'ok',
  )
  assert.match(written, /"token_type":"access","token_id":"abc"/)
})
