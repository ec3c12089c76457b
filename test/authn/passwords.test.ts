import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dictionary } from '@zxcvbn-ts/language-common'
import { commonPasswordsFile } from '../../scripts/common-passwords.ts'
import { breachKey, writeHeader } from '../../src/authn/password/breach-list.ts'
import { CommonList } from '../../src/authn/password/common-list.ts'
import { passwordOptions } from '../../src/authn/password/options.ts'
import { openPasswords, type Whose } from '../../src/authn/password/passwords.ts'
import { sha256Hex } from '../../src/kernel/bytes.ts'
import { throwAwayFolder } from '../support/folder.ts'

const options = passwordOptions.parse({})
const good = 'violet anchor 7 rivers'
const alone: Whose = { context: [], secondFactor: false }

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
    ['aaaabbbbaaaabbbbb', /same few characters$/],
    ['abaabbabbaabbaba', /same few characters$/],
    ['ada.lovelace1234', /name or the address/],
    ['Lovelace-1843-Lovelace', /name or the address/],
    ['ada lovelace ada', /name or the address/],
    ['AdaLovelaceAda15', /name or the address/],
    ['1analytical1843', /name or the address/],
    ['half of a \ud800 character', /half of a character$/],
    ['\udc00'.repeat(20), /half of a character$/],
  ]
  const account = { context: ['ada.lovelace', 'Ada Lovelace', 'analytical'], secondFactor: false }
  for (const [password, why] of refused) assert.match(problemsOf(password, account).join('; '), why, password)
  const accepted = [
    good,
    'onlysmallletters',
    'correct horse battery staple',
    '🦉🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧🐦🐤',
    ' spaces at both ends ',
    'lovelace and much more besides',
    'with a \0 in its midst',
    'x'.repeat(3) + 'yz€1'.repeat(63),
  ]
  for (const password of accepted) assert.deepEqual(problemsOf(password, account), [], password)
})

test('A37: the least length hangs on the second factor, the greatest is 256, and both count composed characters', () => {
  const passwords = openPasswords(options)
  const beside: Whose = { context: [], secondFactor: true }
  const owls = (count: number): string => [...'🦉k7ü🦊qz🐻1€'.repeat(26)].slice(0, count).join('')
  const cases: readonly (readonly [count: number, whose: Whose, why: RegExp | undefined])[] = [
    [14, alone, /at least 15 characters, and has 14$/],
    [15, alone, undefined],
    [7, beside, /at least 8 characters, and has 7$/],
    [8, beside, undefined],
    [14, beside, undefined],
    [256, alone, undefined],
    [256, beside, undefined],
    [257, alone, /at most 256 characters, and has 257$/],
    [257, beside, /at most 256 characters, and has 257$/],
  ]
  for (const [count, whose, why] of cases) {
    for (const form of ['NFC', 'NFD']) {
      const problems = passwords.problemsOf(owls(count).normalize(form), whose)
      if (why === undefined) assert.deepEqual(problems, [], `${count} ${form}`)
      else assert.match(problems.join(), why, `${count} ${form}`)
    }
  }
  assert.match(passwords.problemsOf('ab12 '.repeat(1_000_000), alone).join(), /and has 5000000$/)
  assert.equal(passwords.isShort(owls(14)), true)
  assert.equal(passwords.isShort(owls(15)), false)
  assert.equal(passwords.isShort('cafe\u0301 au lait 7'), true, 'fourteen when composed')
})

test('A37: the least lengths are configurable from 8 to 128, and two make no contradiction', () => {
  const { problemsOf, isShort } = openPasswords(passwordOptions.parse({ minLength: 8 }))
  assert.deepEqual(problemsOf('sieben77', alone), [])
  assert.equal(isShort('sieben77'), false)
  assert.match(problemsOf('🦉🦊🐻🐼🐨🐯🦁', alone).join(), /has 7$/)
  for (const length of [7, 129, 8.5, '8', null]) {
    assert.equal(passwordOptions.safeParse({ minLength: length }).success, false, String(length))
    assert.equal(passwordOptions.safeParse({ minLengthWithSecondFactor: length }).success, false, String(length))
  }
  const wrong = passwordOptions.safeParse({ minLength: 10, minLengthWithSecondFactor: 11 })
  assert.deepEqual(
    wrong.error?.issues.map(({ path }) => path.join()),
    ['minLengthWithSecondFactor'],
  )
  for (const unknown of [{ minlength: 20 }, { contextWords: ['ab'] }, { contextWords: 'acme' }, { breachList: '' }])
    assert.equal(passwordOptions.safeParse(unknown).success, false, JSON.stringify(unknown))
})

test('A38: what guessers try first is refused, bare, adorned, said twice, counted through, or two in a row', () => {
  const { problemsOf } = openPasswords(options)
  const refused = [
    'password123456789',
    'PassWord123456789',
    'passwordPASSWORD',
    'passwordpassword1',
    'passwordpasswordpass',
    'Password2024!!!!!!',
    '***Password1999',
    'monkeymonkeymonkey',
    'abc123abc123abc123',
    'qwertyuiopasdfghjkl',
    '123456789012345',
    '109876543210987',
    'abcdefghijklmnop',
    'zyxwvutsrqponmlk',
    'dragon111111111',
    'aaaaaaaaaaaaaaaaaaaa',
    'abababababababab',
    'iloveyouforever',
    'correcthorsebatterystaple',
    'CorrectHorseBatteryStaple',
    'thisismypassword',
    'gatehousegatehouse',
    'supercalifragilisticexpialidocious!',
  ]
  for (const password of refused) assert.match(problemsOf(password, alone).join(), /guessed first$|same few/, password)
  for (const short of ['password', 'Password1', '1q2w3e4r', 'letmein123', 'p@ssw0rd!', 'dragon12'])
    assert.match(problemsOf(short, { context: [], secondFactor: true }).join(), /guessed first$/, short)
})

test('A38: words of the site are no password, and neither are they beside the name of the account', () => {
  const { problemsOf } = openPasswords(passwordOptions.parse({ contextWords: ['Acme Rockets', 'IBM', 'Überschall'] }))
  const whose = { context: ['wile.coyote@example.com', 'Wile E. Coyote'], secondFactor: false }
  for (const password of [
    'AcmeRocketsAcme',
    'acme rockets 2024',
    'IBMibmIBM-acme17',
    'u\u0308berschall-acme1',
    'rockets4acme-77',
  ])
    assert.match(problemsOf(password, whose).join(), /thinks of here$/, password)
  assert.match(problemsOf('coyote-acme-12345', whose).join(), /name or the address/)
  for (const password of ['acme makes violet anchors', 'ibm and 7 dwarfs went out'])
    assert.deepEqual(problemsOf(password, whose), [], password)
})

test('A38: the shipped list is what its script makes, under 300 KB, and has all that went in', () => {
  const shipped = readFileSync(new URL('../../src/authn/password/common.bin', import.meta.url))
  assert.ok(shipped.equals(commonPasswordsFile()), 'run `node scripts/common-passwords.ts`')
  assert.ok(shipped.length < 300_000)
  const list = new CommonList(shipped)
  assert.ok(list.count > 49_000)
  const frequent = dictionary['passwords-common'].filter((password) => password.length >= 4)
  assert.deepEqual(
    frequent.filter((password) => !list.has(password.toUpperCase())),
    [],
  )
})

test('A38: what is not on the shipped list is hardly ever taken for it, and a damaged list is a fault', () => {
  const shipped = readFileSync(new URL('../../src/authn/password/common.bin', import.meta.url))
  const list = new CommonList(shipped)
  let mistaken = 0
  for (let at = 0; at < 200_000; at++) if (list.has(`no word of anybody: ${at}`)) mistaken++
  assert.ok(mistaken <= 3, `${mistaken} of 200,000, where one in 1.4 million is expected`)
  const { problemsOf } = openPasswords(options)
  const phrase = (at: number): string => sha256Hex(String(at)).slice(0, 20)
  assert.deepEqual(Array.from({ length: 2_000 }, (_, at) => problemsOf(phrase(at), alone)).flat(), [])
  for (const damaged of [Buffer.alloc(0), shipped.subarray(0, -1), shipped.subarray(0, 4096), Buffer.alloc(4096)])
    assert.throws(() => new CommonList(damaged), { name: 'Fault', message: /damaged/ })
})

test('A38: a password of the breach list is refused as it stands, and a list that fails lets none through', (context) => {
  const path = join(throwAwayFolder(context), 'list')
  assert.throws(
    () => openPasswords(passwordOptions.parse({ breachList: path })),
    (error: Error) => {
      assert.equal(error.name, 'Fault')
      return error.message.includes(path)
    },
  )
  const leaked = 'blauer Anker, 7 Flüsse'
  writeFileSync(path, listOf([leaked.normalize('NFD')]))
  const { problemsOf } = openPasswords(passwordOptions.parse({ breachList: path }))
  assert.deepEqual(problemsOf(leaked, alone), ['has been seen in a breach'])
  assert.deepEqual(problemsOf(leaked.normalize('NFD'), alone), ['has been seen in a breach'])
  assert.deepEqual(problemsOf(leaked.toUpperCase(), alone), [])
  writeFileSync(`${path}.new`, listOf([good]))
  renameSync(`${path}.new`, path)
  assert.deepEqual(problemsOf(leaked, alone), [], 'a new list counts at once')
  assert.deepEqual(problemsOf(good, alone), ['has been seen in a breach'])
  rmSync(path)
  assert.throws(() => problemsOf(good, alone), { name: 'Fault', code: 'unavailable' })
})

/** A breach list, put together by hand. */
function listOf(passwords: readonly string[]): Buffer {
  const keys = passwords.map(breachKey).toSorted((a, b) => a - b)
  const body = Buffer.alloc(keys.length * 6)
  for (const [at, key] of keys.entries()) body.writeUIntBE(key, at * 6, 6)
  return Buffer.concat([writeHeader({ count: keys.length, digest: hash('sha256', body, 'buffer') }), body])
}
