import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { identityOptions } from '../../src/authn/options.ts'
import { openPasswords } from '../../src/authn/password/passwords.ts'

const options = identityOptions.parse({}).password
const good = 'violet anchor 7 rivers'

/** From the test of the reference implementation (phc-winner-argon2, src/test.c, version 0x13). */
const vectors = {
  strong: '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  weak: '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
}

test('ID1: a password is stored as Argon2id with 19 MiB and two passes, salted, and is recognised (A39)', async () => {
  const passwords = openPasswords(options)
  const [one, two] = [await passwords.hash(good), await passwords.hash(good)]
  assert.match(String(one), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(one, two)
  assert.equal(await passwords.verify(good, String(one)), true)
  assert.equal(await passwords.verify(`${good} `, String(one)), false)
  assert.equal(await passwords.verify('', String(one)), false)
})

test('ID1: hashes of the reference implementation are recognised', async () => {
  const passwords = openPasswords(options)
  for (const phc of Object.values(vectors)) {
    assert.equal(await passwords.verify('password', phc), true)
    assert.equal(await passwords.verify('differentpassword', phc), false)
  }
})

test('A39: a hash is made again when parameters rose, and not when it is stronger already', async () => {
  const passwords = openPasswords(options)
  assert.equal(passwords.needsRehash(String(await passwords.hash(good))), false)
  assert.equal(passwords.needsRehash(vectors.strong), false)
  for (const weaker of [
    vectors.weak,
    '$argon2id$v=19$m=19456,t=1,p=1$c29tZXNhbHQ$x',
    '$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$x',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$x',
    '$2b$12$x',
    '',
  ]) {
    assert.equal(passwords.needsRehash(weaker), true, weaker)
  }
})

test('A37: nothing of a long password is cut off, and the same letters are the same password', async () => {
  const passwords = openPasswords(options)
  const long = `${'0123456789'.repeat(25)}abcdef`
  const phc = String(await passwords.hash(long))
  assert.equal(await passwords.verify(long, phc), true)
  assert.equal(await passwords.verify(`${long.slice(0, -1)}F`, phc), false)
  const composed = String(await passwords.hash('caf\u00e9 au lait, s\u2019il'))
  assert.equal(await passwords.verify('cafe\u0301 au lait, s\u2019il', composed), true)
})

test('ID2: without an account the same work is done against a decoy, and the answer is no', async () => {
  const passwords = openPasswords(options)
  assert.equal(passwords.computed, 0)
  for (const guess of [good, '', 'nobody has this password']) {
    assert.equal(await passwords.verify(guess, undefined), false)
  }
  assert.equal(passwords.computed, 3, 'one hash each, the first no more than the others')
})

test('A39: a flood of sign-ins is refused beyond a bounded queue, and those that were taken are answered', async () => {
  const passwords = openPasswords(options)
  const taken = availableParallelism() + 256
  const answers = await Promise.all(Array.from({ length: taken + 10 }, () => passwords.verify('x', vectors.weak)))
  const refused = answers.filter((answer) => typeof answer !== 'boolean')
  assert.equal(refused.length, 10)
  for (const refusal of refused) {
    assert.equal(refusal.code, 'unavailable')
    assert.ok((refusal.retryAfterMs ?? 0) > 0)
  }
  assert.equal(passwords.computed, taken)
  assert.equal(await passwords.verify('password', vectors.weak), true, 'and all slots are free again')
})

test('A39: a hash that cannot be read gives its slot back', async () => {
  const passwords = openPasswords(options)
  for (let attempt = 0; attempt < availableParallelism() + 1; attempt++) {
    await assert.rejects(passwords.verify('x', 'no hash'))
  }
  assert.equal(await passwords.verify('password', vectors.weak), true)
})

test('A37, ID1: length is asked for first, and no composition; what is guessed first is refused', () => {
  const { problemsOf } = openPasswords(options)
  const refused: readonly (readonly [password: string, why: RegExp])[] = [
    ['', /at least 15 characters, and has 0$/],
    ['Sh0rt!Passw0rd', /at least 15 characters, and has 14$/],
    ['x1!'.repeat(86), /at most 256 characters, and has 258$/],
    ['correcthorsebatterystaple', /guessed first$/],
    ['CorrectHorseBatteryStaple', /guessed first$/],
    ['qwertyuiopasdfghjkl', /guessed first$/],
    ['aaaaaaaaaaaaaaaaaaaa', /same few characters$/],
    ['abababababababab', /same few characters$/],
    ['ada.lovelace1234', /name or the address/],
    ['LovelaceLovelace', /name or the address/],
    ['ada lovelace ada', /name or the address/],
    ['1analytical1843', /name or the address/],
    ['half of a \ud800 character', /half of a character$/],
  ]
  for (const [password, why] of refused) {
    assert.match(problemsOf(password, ['ada.lovelace', 'Ada Lovelace', 'analytical']).join('; '), why, password)
  }
  const accepted = [
    good,
    'onlysmallletters',
    '🦉🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤',
    ' spaces at both ends ',
    'lovelace and much more besides',
    'x'.repeat(3) + 'yz€1'.repeat(63),
  ]
  for (const password of accepted)
    assert.deepEqual(problemsOf(password, ['ada.lovelace', 'Ada Lovelace']), [], password)
})

test('A37: the least length is configurable from 8 to 128, and counts characters', () => {
  const { problemsOf } = openPasswords({ minLength: 8 })
  assert.deepEqual(problemsOf('sieben77', []), [])
  assert.match(problemsOf('🦉🦊🐻🐼🐨🐯🦁', []).join(), /has 7$/)
  for (const short of ['password', 'Password1', '1q2w3e4r', 'letmein123'])
    assert.match(problemsOf(short, []).join(), /guessed first$/, short)
  for (const minLength of [7, 129, 8.5]) {
    assert.equal(identityOptions.safeParse({ password: { minLength } }).success, false, String(minLength))
  }
  assert.equal(identityOptions.safeParse({ password: { minlength: 20 } }).success, false, 'an unknown key')
})
