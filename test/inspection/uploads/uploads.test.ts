import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import type { UploadOptions } from '../../../src/inspection/uploads/options.ts'
import { openUploads } from '../../../src/inspection/uploads/uploads.ts'
import { growthOfLate, linearMax } from '../../support/growth.ts'
import { pngOf, tarOf, type ZipFile, zipOf } from './archives.ts'

const all: UploadOptions = {
  types: ['image/*', 'application/*', 'text/*'],
  max: 64 * 1024 * 1024,
  archives: { unpacked: 8 * 1024 * 1024 },
}

/** The rule that a file breaks; undefined for one that is taken. */
async function ruleOf(
  bytes: Uint8Array | string,
  { name, declaredType, options = all }: { name?: string; declaredType?: string; options?: UploadOptions } = {},
): Promise<string | undefined> {
  const file = {
    place: { in: 'body' as const, at: 'file' },
    name,
    declaredType,
    bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
  }
  const [wrong] = await openUploads(options).check([file])
  return wrong?.fault.rule
}

const small = Buffer.from('hello, this is a text\n')
const zip = (...files: ZipFile[]): Buffer => zipOf(files)
const file = (name: string, bytes: Uint8Array = small): ZipFile => ({ name, bytes })

test('CT7: a name that leads elsewhere, or hides what it is, is refused; names as people write them are taken', async () => {
  const refused = [
    '../../etc/passwd',
    '..\\windows\\win.ini',
    'a/b.txt',
    'a\\b.txt',
    '~/.bashrc',
    'report~1.txt',
    'x..txt',
    '',
    '   ',
    '.htaccess',
    'name.',
    'name ',
    'CON',
    'nul.txt',
    'Com1.log',
    'a:b',
    'a|b',
    'pic\u202egpj.exe',
    'line\nbreak.txt',
    'nul\0.txt',
    '%2e%2e%2fpasswd',
    'full\uff0fwidth.txt',
    `${'x'.repeat(256)}.txt`,
    'lone\ud800.txt',
  ]
  for (const name of refused) assert.equal(await ruleOf(small, { name }), 'upload/name', JSON.stringify(name))
  for (const name of [
    'report.txt',
    'Q3 report (final) – v2.txt',
    'Müller & Söhne.txt',
    '履歴書.txt',
    "O'Brien.txt",
    'a.b.c.txt',
    'README',
  ])
    assert.equal(await ruleOf(small, { name }), undefined, name)
})

test('CT7: a file is what it holds, whatever it says of itself', async () => {
  const images: UploadOptions = { types: ['image/png', 'text/csv'] }
  assert.equal(await ruleOf(pngOf(10, 10), { name: 'a.png', options: images }), undefined)
  assert.equal(await ruleOf(pngOf(10, 10), { name: 'a.png', declaredType: 'text/plain', options: images }), undefined)
  assert.equal(await ruleOf('a,b\n1,2\n', { name: 'a.csv', declaredType: 'text/csv', options: images }), undefined)
  for (const [bytes, why] of [
    ['<!doctype html><script>1</script>', 'HTML that says it is an image'],
    ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'SVG'],
    ['MZ\x90\0\x03\0\0\0', 'a program'],
    ['#!/bin/sh\nid\n', 'a script'],
    ['<?php system($_GET[0]);', 'PHP'],
    ['just text', 'text'],
    ['', 'nothing'],
  ] as const)
    assert.equal(await ruleOf(bytes, { name: 'a.png', declaredType: 'image/png', options: images }), 'upload/type', why)
  assert.equal(await ruleOf(pngOf(10, 10), { name: 'a.jpg', options: images }), 'upload/extension')
  assert.equal(
    await ruleOf('<script>1</script>', { name: 'a.csv', declaredType: 'text/csv', options: images }),
    'upload/type',
  )
})

test('CT7: a file that is another one as well is refused', async () => {
  const twofold = zipOf([file('a.txt')], pngOf(10, 10))
  assert.equal(await ruleOf(twofold, { name: 'a.png' }), 'upload/twofold')
  assert.equal(
    await ruleOf(Buffer.concat([pngOf(10, 10).subarray(0, 41), Buffer.from('<script>1</script>')])),
    'upload/twofold',
  )
  assert.equal(await ruleOf(Buffer.concat([pngOf(10, 10), Buffer.from('%PDF-1.4')])), 'upload/twofold')
  assert.equal(await ruleOf(pngOf(10, 10, 'PK\x05\x06 is no archive')), undefined)
})

test('CT7: an image is measured by its head, and one that would take gigabytes to open is refused', async () => {
  assert.equal(await ruleOf(pngOf(5_000, 5_000)), undefined)
  assert.equal(await ruleOf(pngOf(100_000, 100_000)), 'upload/pixels')
  assert.equal(await ruleOf(pngOf(0, 100)), 'upload/image')
  const gif = Buffer.from('GIF89a\xff\xff\xff\xff\0\0\0', 'latin1')
  assert.equal(await ruleOf(gif), 'upload/pixels')
})

test('CT7: archives that unpack to too much, lie, overlap, lead out or cannot be looked into are refused', async () => {
  const bombOf = (bytes: number): Buffer => Buffer.alloc(bytes)
  const rows: readonly (readonly [why: string, bytes: Uint8Array, rule: string | undefined])[] = [
    ['an honest archive', zip(file('a.txt'), file('folder/b.txt')), undefined],
    ['many times its size', zip(file('a.txt', bombOf(9 * 1024 * 1024))), 'upload/archive'],
    [
      'many files that are too much together',
      zip(...Array.from({ length: 9 }, (_, at) => file(`${at}`, bombOf(1024 * 1024)))),
      'upload/archive',
    ],
    ['a size that is a lie', zip({ ...file('a.txt', bombOf(9 * 1024 * 1024)), saysBytes: 10 }), 'upload/archive'],
    ['files on top of each other', zip(file('a.txt'), { ...file('a.txt'), overlaps: true }), 'upload/archive'],
    ['a name that leads out', zip(file('../../a.txt')), 'upload/archive'],
    ['a name from the root', zip(file('/etc/passwd')), 'upload/archive'],
    ['a name of Windows', zip(file('C:\\a.txt')), 'upload/archive'],
    ['another name in its head', zip({ ...file('a.txt'), headName: 'b.txt' }), 'upload/archive'],
    ['an encrypted file', zip({ ...file('a.txt'), flags: 1 }), 'upload/archive'],
    ['two within each other', zip({ ...file('in.zip', zip(file('a.txt'))), stored: true }), undefined],
    ['three within each other', zip(file('in.zip', zip(file('in.zip', zip(file('a.txt')))))), 'upload/archive'],
    ['a bomb inside', zip(file('in.zip', zip(file('a', bombOf(9 * 1024 * 1024))))), 'upload/archive'],
    ['too many files', zip(...Array.from({ length: 1001 }, (_, at) => file(`${at}`))), 'upload/archive'],
    ['something before it', zipOf([file('a.txt')], Buffer.from('PK\x03\x04')), 'upload/archive'],
    ['half of it', zip(file('a.txt')).subarray(0, 60), 'upload/archive'],
    ['gzip', gzipSync(small), undefined],
    ['gzip that unpacks to too much', gzipSync(bombOf(9 * 1024 * 1024)), 'upload/archive'],
    ['gzip of a tar that leads out', gzipSync(tarOf([{ name: '../a', bytes: small }])), 'upload/archive'],
    ['tar', tarOf([{ name: 'a.txt', bytes: small }]), undefined],
    ['tar with a link', tarOf([{ name: 'a', bytes: new Uint8Array(), kind: '2' }]), 'upload/archive'],
    ['7z', Buffer.from('377abcaf271c0004000000000000000000000000', 'hex'), 'upload/archive'],
    ['7z inside', zip(file('a.7z', Buffer.from('377abcaf271c0004000000000000000000000000', 'hex'))), 'upload/archive'],
  ]
  for (const [why, bytes, rule] of rows) assert.equal(await ruleOf(bytes), rule, why)
})

test('CT7: what runs when it is opened is refused, and drawings and documents that only show something are taken', async () => {
  const svg = (inside: string, head = ''): string => `${head}<svg xmlns="http://www.w3.org/2000/svg">${inside}</svg>`
  const pdf = (inside: string | Buffer): Buffer =>
    Buffer.concat([Buffer.from('%PDF-1.7\n1 0 obj\n'), Buffer.from(inside), Buffer.from('\nendobj\ntrailer\n%%EOF\n')])
  const objects = (inside: string): Buffer =>
    Buffer.concat([
      Buffer.from('<< /Type /ObjStm /Filter /FlateDecode >>\nstream\n'),
      deflateSync(inside),
      Buffer.from('\nendstream'),
    ])
  const word = (more: ZipFile[]): Buffer =>
    zip(
      file(
        '[Content_Types].xml',
        Buffer.from(
          '<Types><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        ),
      ),
      file('word/document.xml', Buffer.from('<w:document/>')),
      ...more,
    )
  const rows: readonly (readonly [why: string, bytes: Uint8Array | string, rule: string | undefined])[] = [
    ['a drawing', svg('<path d="M0 0L1 1"/><a href="https://example.com/">more</a><text>script</text>'), undefined],
    ['a drawing with its declaration', svg('<rect/>', '<?xml version="1.0"?><!-- made by hand -->'), undefined],
    ['a script', svg('<script>1</script>'), 'upload/active'],
    ['a script with a prefix', svg('<x:script xmlns:x="http://www.w3.org/2000/svg">1</x:script>'), 'upload/active'],
    ['a handler', svg('<rect onclick="x()"/>'), 'upload/active'],
    ['a handler without a space', svg('<rect/onload=x()>'), 'upload/active'],
    ['an address that runs', svg('<a href="javascript:x()">x</a>'), 'upload/active'],
    ['the same with entities', svg('<a href="&#106;ava&#x73;cript&colon;x()">x</a>'), 'upload/active'],
    ['the same with tabs', svg('<a href="java\tscript:x()">x</a>'), 'upload/active'],
    ['foreign markup', svg('<foreignObject><p/></foreignObject>'), 'upload/active'],
    ['a picture from elsewhere', svg('<image href="https://evil.example/p.png"/>'), 'upload/active'],
    ['an entity', `<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>${svg('&a;')}`, 'upload/active'],
    ['UTF-16', Buffer.from(`\ufeff${svg('<script>1</script>')}`, 'utf16le'), 'upload/active'],
    ['a document', pdf('<< /Type /Catalog /OpenAction [3 0 R /Fit] >>'), undefined],
    ['a document with a script', pdf('<< /S /JavaScript /JS (app.alert(1)) >>'), 'upload/active'],
    ['a name that is spelled otherwise', pdf('<< /S /J#61vaScript >>'), 'upload/active'],
    ['a program', pdf('<< /S /Launch /F (cmd.exe) >>'), 'upload/active'],
    ['a file inside', pdf('<< /Type /EmbeddedFile >>'), 'upload/active'],
    ['a stream of objects', pdf(objects('<< /Type /Font >>')), undefined],
    ['a script in a stream of objects', pdf(objects('<< /S /JavaScript >>')), 'upload/active'],
    ['a word document', word([]), undefined],
    ['a word document with macros', word([file('word/vbaProject.bin')]), 'upload/active'],
    ['HTML', '<!doctype html><p>hi', 'upload/active'],
  ]
  for (const [why, bytes, rule] of rows) {
    assert.equal(await ruleOf(bytes), rule, why)
    if (rule !== undefined)
      assert.equal(await ruleOf(bytes, { options: { ...all, active: 'allow' } }), undefined, `${why}, allowed`)
  }
})

test('CT7: one file too many, and one that is too large, are refused and the others looked at', async () => {
  const uploads = openUploads({ types: ['text/plain'], max: 30, files: 2 })
  const named = (name: string, bytes: Uint8Array) => ({
    place: { in: 'body' as const, at: name },
    name,
    declaredType: undefined,
    bytes,
  })
  const wrong = await uploads.check([
    named('a.txt', small),
    named('b.txt', Buffer.alloc(31, 'x')),
    named('c.txt', small),
  ])
  assert.deepEqual(
    wrong.map(({ file: { name }, fault: { rule } }) => [name, rule]),
    [
      ['b.txt', 'upload/size'],
      ['c.txt', 'upload/count'],
    ],
  )
})

test('CT7: looking at a file takes time in proportion to its size, whatever it holds', async () => {
  const pieces = [
    '<svg ',
    '&#106;',
    'javascript:',
    '<!DOCTYPE ',
    ' on',
    'stream ',
    '/ObjStm stream\n',
    '#4a',
    'PK\x01\x02',
    ' url( ',
    'href=',
    '<!--',
    '<x:',
    ' onload ',
    '\\69 ',
    'href=" ',
    '<!DOCTYPE "//',
    '/First 1 /N 1 stream\n',
    '/Filter /FlateDecode ',
    'IHDR',
    ',\0\0\0\0\x01\0\x01\0\0\x02\0',
  ]
  for (const piece of pieces) {
    for (const head of [
      '<svg xmlns="http://www.w3.org/2000/svg">',
      '%PDF-1.7\n',
      '<?xml version="1.0"?><a>',
      'GIF89a\x01\0\x01\0\0\0\0',
    ]) {
      const of = (bytes: number) => () =>
        ruleOf(Buffer.from(head + piece.repeat(Math.ceil(bytes / piece.length)), 'latin1'))
      const ratio = await growthOfLate(of(262_144), of(1_048_576))
      assert.ok(ratio < linearMax, `${JSON.stringify(head + piece)}: ${ratio.toFixed(1)} times as long`)
    }
  }
})
