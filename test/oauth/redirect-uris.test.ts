// Where codes may be sent: what is registered, and what a request may name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ApplicationType,
  applicationTypeOf,
  redirectMatches,
  redirectUriProblem,
} from '../../src/oauth/redirect-uris.ts'

const good: readonly (readonly [ApplicationType, string])[] = [
  ['web', 'https://app.example.com/callback'],
  ['web', 'https://app.example.com'],
  ['web', 'https://app.example.com/'],
  ['web', 'https://app.example.com:8443/callback?tenant=a&x=%20'],
  ['web', 'https://xn--bcher-kva.example/%7Euser/'],
  ['web', 'https://app.example.com/.well-known/callback'],
  ['web', 'https://app.example.com/a..b/...'],
  ['native', 'https://app.example.com/callback'],
  ['native', 'http://127.0.0.1/callback'],
  ['native', 'http://127.0.0.1:51004/callback'],
  ['native', 'http://[::1]/callback'],
  ['native', 'http://localhost:3000/callback?x=1'],
  ['native', 'com.example.app:/oauth2redirect'],
  ['native', 'com.example.app://callback'],
]

test('OA1: addresses of servers, of programs on this device, and of an application’s own scheme are taken', () => {
  for (const [type, uri] of good) assert.equal(redirectUriProblem(uri, type), undefined, `${type} ${uri}`)
})

/** What was done to others, and what RFC 9700 §4.1, RFC 8252 and RFC 3986 warn of. */
const attacks: readonly (readonly [what: string, uri: string, problem: RegExp])[] = [
  ['a script (CVE-2026-67333)', 'javascript:alert(document.domain)', /runs what it carries/],
  ['a script in capitals', 'JavaScript:alert(1)', /runs what it carries/],
  ['a script that looks like a host', 'javascript://app.example.com/%0aalert(1)', /runs what it carries/],
  ['a script behind a tab', 'java\tscript:alert(1)', /absolute/],
  ['a script behind a space', ' javascript:alert(1)', /absolute/],
  ['a page in the address', 'data:text/html,<script>alert(1)</script>', /page of whoever/],
  ['an older script', 'vbscript:msgbox(1)', /runs/],
  ['a blob', 'blob:https://app.example.com/uuid', /page of whoever/],
  ['a file', 'file:///etc/passwd', /reads the machine/],
  ['nothing', 'about:blank', /nowhere/],
  ['a letter', 'mailto:a@example.com', /letter/],
  ['any app that answers', 'intent://callback#Intent;scheme=x;end', /any application/],
  ['no scheme (CVE-2025-27143)', '//evil.example', /absolute/],
  ['a path', '/callback', /absolute/],
  ['nothing at all', '', /absolute/],
  ['a host in the clear', 'http://app.example.com/callback', /https/],
  ['a private address in the clear', 'http://192.168.0.1/callback', /https/],
  ['a loopback name of somebody’s', 'http://localhost.evil.example/callback', /https/],
  ['a loopback address in another notation', 'http://2130706433/callback', /usual spelling/],
  ['a loopback address in octal', 'http://0177.0.0.1/callback', /usual spelling/],
  ['a short loopback address', 'http://127.1/callback', /usual spelling/],
  ['another address of this device', 'http://127.0.0.2/callback', /https/],
  ['a host that ends in a dot', 'https://app.example.com./callback', /dot at its end/],
  ['a pattern for hosts (CVE-2025-71403)', 'https://*.example.com/callback', /pattern/],
  ['a pattern for paths', 'https://app.example.com/*', /pattern/],
  ['a fragment', 'https://app.example.com/callback#here', /fragment/],
  ['an empty fragment', 'https://app.example.com/callback#', /fragment/],
  ['a user name', 'https://app.example.com@evil.example/callback', /user name/],
  ['a user name and a password', 'https://a:b@app.example.com/callback', /user name/],
  ['an empty user name', 'https://@app.example.com/callback', /user name/],
  ['a user name in a scheme of its own', 'com.example.app://user@callback', /user name/],
  ['a backslash', 'https://evil.example\\@app.example.com/', /backslash/],
  ['backslashes for slashes', 'https:\\\\app.example.com', /backslash/],
  ['three slashes', 'https:///app.example.com/callback', /usual spelling/],
  ['no slashes', 'https:app.example.com/callback', /usual spelling/],
  ['a dot segment', 'https://app.example.com/a/../callback', /dot segment/],
  ['a dot segment at the end', 'https://app.example.com/a/..', /dot segment/],
  ['an encoded dot segment', 'https://app.example.com/a/%2e%2E/callback', /dot segment/],
  ['a half encoded one', 'https://app.example.com/a/.%2e/callback', /dot segment/],
  ['a dot segment of a scheme of its own', 'com.example.app:/a/../b', /dot segment/],
  ['an encoded slash', 'https://app.example.com/a%2fb', /encoded slash/],
  ['an encoded backslash', 'https://app.example.com/a%5Cb', /encoded slash/],
  ['an encoded line break', 'https://app.example.com/a?b=%0d%0aSet-Cookie:x', /control character/],
  ['an encoded NUL', 'https://app.example.com/%00', /control character/],
  ['a line break', 'https://app.example.com/\ncallback', /space, control/],
  ['a NUL', 'https://app.example.com/\0', /space, control/],
  ['a space', 'https://app.example.com/a b', /space, control/],
  ['a letter that turns others round', 'https://app.example.com/\u202egpj', /space, control/],
  ['a host in Cyrillic', 'https://аpp.example.com/callback', /ASCII/],
  ['half an escape', 'https://app.example.com/%zz', /hexadecimal/],
  ['brackets', 'https://app.example.com/a[1]', /RFC 3986/],
  ['a brace', 'https://app.example.com/{a}', /RFC 3986/],
  ['quotes', 'https://app.example.com/"onload="', /RFC 3986/],
  ['a host in capitals', 'https://APP.example.com/callback', /usual spelling/],
  ['a scheme in capitals', 'HTTPS://app.example.com/callback', /usual spelling/],
  ['the usual port', 'https://app.example.com:443/callback', /usual spelling/],
  ['no port', 'https://app.example.com:/callback', /usual spelling/],
  ['a port that is none', 'https://app.example.com:99999/', /cannot be read/],
  ['a long address', `https://app.example.com/${'a'.repeat(2000)}`, /2000 characters/],
]

test('A12 CVE-2026-67333 CVE-2025-27143 CVE-2025-71403: what leads elsewhere, or is read in two ways, is not registered', () => {
  for (const type of ['web', 'native'] as const) {
    for (const [what, uri, problem] of attacks) assert.match(redirectUriProblem(uri, type) ?? 'nothing', problem, what)
  }
})

test('A12: a scheme of an application’s own has a domain in it, which nobody else can claim', () => {
  for (const [uri, problem] of [
    ['myapp:/callback', /domain/],
    ['myapp://callback', /domain/],
    ['com.example.app:callback', /path/],
    ['com.example.app:', /path/],
    ['com..app:/callback', /domain/],
    ['Com.Example.App:/callback', /usual spelling/],
  ] as const)
    assert.match(redirectUriProblem(uri, 'native') ?? 'nothing', problem, uri)
})

test('A12: a server has no address on somebody’s device, and a program on a device none that is on every device', () => {
  for (const uri of ['http://127.0.0.1/callback', 'http://localhost/callback', 'com.example.app:/callback'])
    assert.match(redirectUriProblem(uri, 'web') ?? 'nothing', /https/, uri)
  for (const uri of ['https://localhost/callback', 'https://127.0.0.1/callback', 'https://[::1]/callback'])
    assert.match(redirectUriProblem(uri, 'native') ?? 'nothing', /`http:`/, uri)
})

test('A12: only the port on this device may be another than the registered one', () => {
  const registered = 'http://127.0.0.1/callback'
  for (const asked of [registered, 'http://127.0.0.1:1/callback', 'http://127.0.0.1:65535/callback'])
    assert.ok(redirectMatches(registered, asked), asked)
  assert.ok(redirectMatches('http://[::1]:3000/cb?x=1', 'http://[::1]:4000/cb?x=1'))
  assert.ok(redirectMatches('http://localhost:3000', 'http://localhost:4000'))
  for (const asked of [
    'http://127.0.0.1:1/callback/',
    'http://127.0.0.1:1/Callback',
    'http://127.0.0.1:1/callback?x=1',
    'http://127.0.0.1:1/callback#',
    'http://127.0.0.1:1/callback\n',
    'http://127.0.0.1:65536/callback',
    'http://127.0.0.1:0/callback',
    'http://127.0.0.1:01/callback',
    'http://127.0.0.1:/callback',
    'http://127.0.0.1:1@evil.example/callback',
    'http://user@127.0.0.1:1/callback',
    'http://localhost:1/callback',
    'http://[::1]:1/callback',
    'https://127.0.0.1:1/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1:1\\@evil.example/callback',
    'HTTP://127.0.0.1:1/callback',
  ])
    assert.equal(redirectMatches(registered, asked), false, asked)
})

test('A12: everywhere else an address is the same text, or another address', () => {
  const registered = 'https://app.example.com/callback'
  assert.ok(redirectMatches(registered, registered))
  for (const asked of [
    'https://app.example.com/callback/',
    'https://app.example.com/callback?',
    'https://app.example.com/callback#',
    'https://app.example.com/callback?x=1',
    'https://app.example.com:443/callback',
    'https://app.example.com:8443/callback',
    'https://app.example.com/Callback',
    'https://app.example.com/callbac%6b',
    'https://APP.example.com/callback',
    'https://app.example.com/callback/../callback',
    'https://app.example.com.evil.example/callback',
    'https://evil.example/https://app.example.com/callback',
    'http://app.example.com/callback',
  ])
    assert.equal(redirectMatches(registered, asked), false, asked)
  assert.equal(redirectMatches('com.example.app:/callback', 'com.example.app:/other'), false)
})

test('OA4: what a client does not say of itself, its addresses say', () => {
  assert.equal(applicationTypeOf(['https://app.example.com/callback']), 'web')
  assert.equal(applicationTypeOf(['https://app.example.com/callback', 'http://localhost/callback']), 'native')
  assert.equal(applicationTypeOf(['com.example.app:/callback']), 'native')
  assert.equal(applicationTypeOf([]), 'web')
})
