// Makes src/authn/password/common.bin, the passwords that are guessed first: node scripts/common-passwords.ts
// What goes in are facts about which passwords are used most; what comes out are cut hashes, and nobody's text.
import { writeFileSync } from 'node:fs'
import { dictionary } from '@zxcvbn-ts/language-common'
import { commonListFile } from '../src/authn/password/common-list.ts'

/** Long ones that lists of leaked passwords, most of them short, do not have. */
const phrases = `112233445566778 11112222333344445555 qwertyuiopasdfghjklzxcvbnm a1b2c3d4e5f6g7h8 zaq1zaq1
  administrator123 iloveyousomuch1 iloveyousomuch2 iloveyoumorethananything correcthorsebatterystaple thisismypassword1
  thisisapassword thisisapassword1 thisisnotapassword thisisasecurepassword thisisasecret nevergonnagiveyouup
  maytheforcebewithyou tobeornottobe tobeornottobe123 supercalifragilisticexpialidocious thequickbrownfox
  thequickbrownfoxjumpsoverthelazydog onceuponatime happilyeverafter inthebeginningwastheword loremipsumdolorsitamet
  ihatepasswords iforgotmypassword icantrememberit whatismypassword nevergiveupthefight youshallnotpass letmeinplease
  p@ssword p@ssw0rd1 changeme123 changemenow changethispassword letmein12 guest123 gatehouse gatehouse123 gatehousepassword`.split(
  /\s+/,
)

/** What people set behind a word when the word alone was refused. */
const years = Array.from({ length: 100 }, (_, at) => String(1940 + at))

/** Under four characters it is a syllable. */
const lengthMin = 4

export function commonPasswordsFile(): Buffer {
  return commonListFile(
    [...dictionary['passwords-common'], ...phrases, ...years].filter((password) => password.length >= lengthMin),
  )
}

if (import.meta.main) {
  const path = new URL('../src/authn/password/common.bin', import.meta.url)
  const file = commonPasswordsFile()
  writeFileSync(path, file)
  process.stdout.write(`${path.pathname}: ${file.length} bytes\n`)
}
