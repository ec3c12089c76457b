// CT7: what two readers of a form could read as two different forms goes to neither.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { readMultipart } from '../../../src/inspection/fields/multipart.ts'
import { assertLinear } from '../linear.ts'

const type = 'multipart/form-data; boundary=----b0undary'
const read = (text: string, contentType = type): ReturnType<typeof readMultipart> =>
  readMultipart(Buffer.from(text, 'utf8'), contentType)
const form = (...parts: readonly string[]): string =>
  `${parts.map((part) => `------b0undary\r\n${part}\r\n`).join('')}------b0undary--\r\n`
const value = (disposition: string, content = 'x', others = ''): string =>
  `Content-Disposition: ${disposition}\r\n${others}\r\n${content}`

suite('CT7: a form that has one reading is read', () => {
  test('as the Fetch of this runtime writes it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.stringMatching(/^[a-z\u00e0-\u00ff[\]]{1,20}$/), fc.uint8Array({ maxLength: 200 })), {
          maxLength: 8,
        }),
        async (pairs) => {
          const data = new FormData()
          for (const [name, bytes] of pairs) data.append(name, new Blob([bytes], { type: 'image/png' }), `${name}.png`)
          const response = new Response(data)
          const body = new Uint8Array(await response.arrayBuffer())
          const form = readMultipart(body, response.headers.get('content-type') as string)
          assert.ok('parts' in form, JSON.stringify(form))
          assert.deepEqual(
            form.parts.map(({ name, filename, contentType, bytes }) => [name, filename, contentType, [...bytes]]),
            pairs.map(([name, bytes]) => [name, `${name}.png`, 'image/png', [...bytes]]),
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  test('values, empty ones, files, several of one name, and no part at all', () => {
    const parts = read(
      form(
        value('form-data; name="a"', ''),
        value('form-data; name=a', '1'),
        value('form-data; name="f"; filename*=UTF-8\'\'%e2%82%ac.txt'),
      ),
    )
    assert.ok('parts' in parts)
    assert.deepEqual(
      parts.parts.map(({ name, filename, bytes }) => [name, filename, Buffer.from(bytes).toString()]),
      [
        ['a', undefined, ''],
        ['a', undefined, '1'],
        ['f', '€.txt', 'x'],
      ],
    )
    assert.deepEqual(read('------b0undary--'), { parts: [] })
  })

  test('a part lies where it stands in the body: nothing is copied', () => {
    const body = Buffer.from(form(value('form-data; name="a"', 'hello')))
    const parts = readMultipart(body, type)
    assert.ok('parts' in parts)
    assert.equal(parts.parts[0]?.bytes.buffer, body.buffer)
  })
})

suite('CT7: a form that could be read in two ways is a problem', () => {
  const good = form(value('form-data; name="a"'))
  // biome-ignore format: a table
  const bad: Readonly<Record<string, string>> = {
    'text before the first delimiter': `x\r\n${good}`,
    'an empty line before it': `\r\n${good}`,
    'text behind the last': `${good}x`,
    'a second form behind the last': good + good,
    'no last delimiter': good.replace('------b0undary--\r\n', ''),
    'the last delimiter cut short': good.replace('--\r\n', '-'),
    'lines that end in LF': good.replaceAll('\r\n', '\n'),
    'a delimiter behind LF alone': good.replace('x\r\n-', 'x\n-'),
    'a delimiter in the middle of a line': form(value('form-data; name="a"', 'x ------b0undary y')),
    'a delimiter that goes on': form(value('form-data; name="a"', 'x\r\n------b0undaryx\r\n')),
    'white space behind a delimiter': good.replace('undary\r\n', 'undary \r\n'),
    'a part without headers': good.replace('x\r\n', 'x\r\n------b0undary\r\n'),
    'headers without an empty line': form('Content-Disposition: form-data; name="a"'),
    'an empty line that is the line end of the delimiter': form('Content-Disposition: form-data; name="a"\r\n'),
    'no disposition': form('Content-Type: text/plain\r\n\r\nx'),
    'two dispositions': form(value('form-data; name="a"', 'x', 'Content-Disposition: form-data; name="b"\r\n')),
    'another disposition': form(value('attachment; name="a"')),
    'no name': form(value('form-data; filename="a"')),
    'an empty name': form(value('form-data; name=""')),
    'two names': form(value('form-data; name="a"; name="b"')),
    'two names, one in capitals': form(value('form-data; name="a"; NAME="b"')),
    'two file names': form(value('form-data; name="a"; filename="b.txt"; filename="b.php"')),
    'two file names, one extended': form(value("form-data; name=\"a\"; filename=\"b.txt\"; filename*=UTF-8''b.php")),
    'an extended name in an unknown charset': form(value("form-data; name=\"a\"; filename*=UTF-7''b.php")),
    'a continued file name (RFC 2231)': form(value('form-data; name="a"; filename*0="b"; filename*1=".php"')),
    'an extended name of a value': form(value("form-data; name*=UTF-8''a")),
    'a quotation mark that is escaped': form(value('form-data; name="a\\"; filename=\\"b"')),
    'a quotation mark that does not end': form(value('form-data; name="a')),
    'white space before an equals sign': form(value('form-data; name ="a"')),
    'parameters without a semicolon': form(value('form-data; name="a" filename="b"')),
    'a folded header': form(value('form-data;\r\n name="a"')),
    'white space before the colon': form('Content-Disposition : form-data; name="a"\r\n\r\nx'),
    'a NUL in a name': form(value('form-data; name="a\0b"')),
    'a bare CR in a header': form(value('form-data; name="a"', 'x', 'X-A: b\rc\r\n')),
    'an encoding that hides the content': form(value('form-data; name="a"', 'eA==', 'Content-Transfer-Encoding: base64\r\n')),
    'a length that lies': form(value('form-data; name="a"', 'x', 'Content-Length: 7\r\n')),
    'a form in a form': form(value('form-data; name="a"', 'x', 'Content-Type: multipart/mixed; boundary=c\r\n')),
    'a part with too many headers': form(value('form-data; name="a"', 'x', Array.from({ length: 16 }, (_, at) => `X-${at}: y\r\n`).join(''))),
    'a part with too much of a header': form(value('form-data; name="a"', 'x', `X-A: ${'y'.repeat(9000)}\r\n`)),
    'too many parts': form(...Array.from({ length: 1001 }, () => value('form-data; name="a"'))),
  }
  test('but the form that they are made from', () => assert.ok('parts' in read(good)))
  for (const [name, body] of Object.entries(bad)) {
    test(name, () => {
      const result = read(body)
      assert.ok('problem' in result, JSON.stringify(result))
      assert.match(result.problem, /^[^\n]{10,160}$/)
    })
  }

  // biome-ignore format: a table
  const types = [
    'multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary="a\\b"', `${type}; boundary=c`, `${type}; BOUNDARY=c`,
    `multipart/form-data; boundary=${'a'.repeat(71)}`, 'multipart/form-data; boundary="a "', 'multipart/form-data; boundary*0=----; boundary*1=b0undary',
    'multipart/mixed; boundary=----b0undary', 'multipart/form-data boundary=----b0undary', `${type}, text/plain`, 'multipart/form-data; boundary="----b0undary',
  ]
  for (const contentType of types) {
    test(`the type ${contentType.slice(0, 80)}`, () => assert.ok('problem' in read(good, contentType)))
  }
})

suite('CT7: a megabyte of anything takes time in proportion to its length', () => {
  // biome-ignore format: a table
  const patterns = {
    delimiters: '------b0undary\r\n', 'half delimiters': '------b0undar', dashes: '-', 'empty parts': '------b0undary\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n',
    headers: 'a: b\r\n', parameters: '; a=b', quotes: '"', lines: '\r\n', colons: ':',
  }
  for (const [name, pattern] of Object.entries(patterns)) {
    test(name, () => {
      assertLinear(name, pattern, (text) => read(text))
      assertLinear(name, pattern, (text) =>
        read(`------b0undary\r\nContent-Disposition: form-data; name="a"\r\n${text}`),
      )
      assertLinear(name, pattern, (text) => read(`------b0undary\r\nContent-Disposition: form-data${text}\r\n\r\nx`))
    })
  }
})
