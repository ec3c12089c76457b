// CT3: every text of a request that a program behind reads is looked at, each finding at its place; what cannot be read is said.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { Field } from '../../../src/inspection/field.ts'
import { fieldBounds, type RequestParts, requestFields } from '../../../src/inspection/fields/request.ts'
import { placeText } from '../../../src/inspection/place.ts'
import { assertLinear } from '../linear.ts'

const bounds = fieldBounds(1_000_000)
const nothing: RequestParts = { path: '/', params: {}, query: '', headers: [], contentType: undefined, body: undefined }
const fieldsOf = (parts: Partial<RequestParts>): readonly Field[] => {
  const read = requestFields({ ...nothing, ...parts }, bounds)
  assert.ok('fields' in read, JSON.stringify(read))
  return read.fields
}
const body = (contentType: string | undefined, text: string | Uint8Array): Partial<RequestParts> => ({
  contentType,
  body: typeof text === 'string' ? Buffer.from(text) : text,
})
/** `body /a = text`, without the names. */
const told = (parts: Partial<RequestParts>): string[] =>
  fieldsOf(parts)
    .filter(({ role }) => role !== 'name')
    .map(({ place, text }) => `${placeText(place)} = ${text}`)
const names = (parts: Partial<RequestParts>): string[] =>
  fieldsOf(parts)
    .filter(({ role }) => role === 'name')
    .map(({ text }) => text)
const problemOf = (parts: Partial<RequestParts>): string => {
  const read = requestFields({ ...nothing, ...parts }, bounds)
  assert.ok('problem' in read, JSON.stringify(read))
  assert.match(read.problem, /^[^\n]{10,200}$/)
  return read.problem
}

suite('CT3: JSON', () => {
  test('strings and names stand at their pointers (RFC 6901), numbers and literals nowhere', () => {
    const json = body('application/json; charset=utf-8', '{"a/b":{"c~d":["x",1,true,null,"y"]},"":"z"}')
    assert.deepEqual(told(json), ['body /a~1b/c~0d/0 = x', 'body /a~1b/c~0d/4 = y', 'body / = z'])
    assert.deepEqual(names(json), ['a/b', 'c~d'])
  })

  test('every string of any value is there', () => {
    const strings = (value: unknown): string[] =>
      typeof value === 'string'
        ? [value]
        : typeof value === 'object' && value !== null
          ? Object.entries(value).flatMap(([name, member]) => [
              ...(Array.isArray(value) ? [] : [name]),
              ...strings(member),
            ])
          : []
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const texts = new Set(fieldsOf(body('application/json', text)).map((field) => field.text))
        for (const each of strings(JSON.parse(text))) assert.ok(each === '' || texts.has(each), each)
      }),
    )
  })

  test('the name of an item is that of its member, and has no case', () => {
    const [, item] = fieldsOf(body('application/json', '{"Tags":["x"]}'))
    assert.deepEqual([item?.name, item?.text], ['tags', 'x'])
  })

  test('JSON in a string is read, three levels deep, and is looked at as a text as well', () => {
    const inner = JSON.stringify({ b: JSON.stringify({ c: JSON.stringify(['d']) }) })
    const all = told(body('application/json', JSON.stringify({ a: inner })))
    assert.equal(all[0], `body /a = ${inner}`)
    assert.equal(all.at(-1), 'body /a#/b#/c#/0 = d')
  })

  test('what two parsers read differently is a problem', () => {
    problemOf(body('application/json', '{"a":1,"a":2}'))
    problemOf(body('application/json', '{"a":1e999}'))
    problemOf(body('application/json', '{"a":1} x'))
    problemOf(body('application/json', Buffer.from([0x22, 0xff, 0x22])))
    problemOf(body('application/json; charset=utf-16', '{"a":1}'))
    problemOf(body('application/json; charset=utf-8; charset=utf-7', '{"a":1}'))
    problemOf(body('application/json', Buffer.from('\ufeff{"a":1}', 'utf16le')))
    problemOf(body('application/json', '['.repeat(100) + ']'.repeat(100)))
  })

  test('lines of JSON are read one by one', () => {
    assert.deepEqual(told(body('application/x-ndjson', '{"a":"x"}\n\n{"a":"y"}\n')), ['body /0/a = x', 'body /2/a = y'])
    problemOf(body('application/x-ndjson', '{"a":"x"}\n{'))
  })
})

suite('CT3: queries and forms', () => {
  test('names and values, decoded once, and values of one name together as well', () => {
    const query = { query: 'a=1%27+2&b[c]=%26&a=3&d&&e=' }
    assert.deepEqual(told(query), ["query a = 1' 2", 'query b[c] = &', 'query a = 3', "query a = 1' 2,3"])
    assert.deepEqual(names(query), ['a', 'b[c]', 'd', 'e'])
    assert.equal(fieldsOf(query).find(({ text }) => text === '&')?.name, 'c')
  })

  test('a query is read as the laxest reader does, a form in UTF-8 or not at all', () => {
    assert.deepEqual(told({ query: 'a=%c0%ae%zz%e9' }), ['query a = .%zzé'])
    const form = (text: string): Partial<RequestParts> => body('application/x-www-form-urlencoded', text)
    assert.deepEqual(told(form('a=%C3%A9+1%')), ['body a = é 1%'])
    problemOf(form('a=%c0%ae'))
    problemOf(form('a=%u0027'))
    problemOf(form('a=1&_charset_=utf-7'))
    problemOf(body('application/x-www-form-urlencoded; charset=ibm037', 'a=1'))
  })

  test('any pair comes back from what URLSearchParams writes', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 })
    fc.assert(
      fc.property(text, text, (name, value) => {
        const query = new URLSearchParams([[name, value]]).toString()
        const fields = fieldsOf({ query })
        assert.ok(fields.some((field) => field.role === 'name' && field.text === name))
        assert.ok(fields.some((field) => field.role !== 'name' && field.text === value))
      }),
    )
  })

  test('JSON in a parameter is read', () => {
    assert.ok(
      told({ query: `filter=${encodeURIComponent('{"a":{"$where":"x"}}')}` }).includes('query filter#/a/$where = x'),
    )
  })

  test('values and file names of a multipart form, and the content of files that say they are JSON or XML', () => {
    const part = (head: string, content: string): string =>
      `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`
    const text = `${part('name="a"', 'x')}${part('name="f"; filename="../y.json"\r\nContent-Type: application/json', '{"k":"v"}')}${part('name="g"; filename="z.png"\r\nContent-Type: image/png', 'PNG')}--b--\r\n`
    assert.deepEqual(told(body('multipart/form-data; boundary=b', text)).sort(), [
      'body a = x',
      'body f#/k = v',
      'body f#filename = ../y.json',
      'body g#filename = z.png',
    ])
    problemOf(body('multipart/form-data; boundary=b', text.replace('name="a"', 'name="a"; name="b"')))
    problemOf(body('multipart/mixed; boundary=b', text))
  })
})

suite('CT3: XML', () => {
  const xml = (text: string): Partial<RequestParts> => body('application/xml', text)

  test('texts and attributes at their paths, put together as a program reads them, no entity resolved', () => {
    const document = `<?xml version="1.0" encoding="UTF-8"?><o:order xmlns:o='urn:x'><item id="1 > 2">un<!-- -->ion</item><item><![CDATA[<b>]]>&amp;</item><none/></o:order >`
    assert.deepEqual(told(xml(document)), [
      'body /o:order/@xmlns:o = urn:x',
      'body /o:order/item/@id = 1 > 2',
      'body /o:order/item = union',
      'body /o:order/item[2] = <b>&amp;',
    ])
    assert.deepEqual(names(xml(document)), ['o:order', 'xmlns:o', 'item', 'id', 'none'])
  })

  test('a document type declaration is a field of its own, whatever stands in it', () => {
    const type = `<!DOCTYPE r [<!ENTITY % a "]>'"><!-- ]> ' --><!ENTITY b SYSTEM 'file:///x'>]>`
    assert.deepEqual(told(xml(`${type}<r>&b;</r>`)), [`body DOCTYPE = ${type}`, 'body /r = &b;'])
  })

  test('what is not well-formed is a problem', () => {
    // biome-ignore format: a list
    for (const text of [
      'x', '<a>', '<a></b>', '<a></ab>', '<a/><b/>', '<a/>x', '<a b=c/>', '<a b="1" b="2"/>', '<a b="1"', '<a b="1', '<a><!-- </a>', '<a><![CDATA[ </a>', '<![CDATA[x]]><a/>',
      '<a><?x </a>', '<!DOCTYPE a [', '<!DOCTYPE a "', '<a/><!DOCTYPE a>', '<!ELEMENT a ANY><a/>', '< a/>', '<a></a', '<a></a b>', ' <?xml version="1.0"?><a/>', '<?xml version="1.0" encoding="utf-7"?><a/>',
      '<?xml version="1.0" encoding="utf-16"?><a/>', '<a>'.repeat(65) + '</a>'.repeat(65),
    ]) problemOf(xml(text))
  })

  test('UTF-16 with its mark is read', () => {
    const text = Buffer.from('\ufeff<?xml version="1.0" encoding="utf-16"?><a>x</a>', 'utf16le')
    assert.deepEqual(told(body('application/xml', text)), ['body /a = x'])
  })
})

suite('CT3: heads, paths and texts', () => {
  test('header fields that callers write freely, and each cookie', () => {
    const headers = [
      'Host',
      'h',
      'User-Agent',
      '$(x)',
      'Accept',
      '*/*',
      'accept',
      "*/*'--",
      'Authorization',
      'Bearer x',
      'Cookie',
      'a=1; b="2 3"; c',
      'Sec-Fetch-Site',
      'none',
      'X-Any',
      'y',
    ]
    assert.deepEqual(told({ headers }), [
      'header user-agent = $(x)',
      "header accept = */*'--",
      'cookie a = 1',
      'cookie b = 2 3',
      'cookie = c',
      'header x-any = y',
    ])
  })

  test('the path as a whole, its parameters, and what else of it is not plain', () => {
    assert.deepEqual(told({ path: '/api/tasks/7', params: { id: '7' } }), ['path id = 7'])
    assert.deepEqual(told({ path: "/api/a'b", params: { id: "a'b" } }), ["path = /api/a'b", "path id = a'b"])
    const rest = { path: '/files/PHNjcmlwdD5hbGVydA/x', params: { '*': 'PHNjcmlwdD5hbGVydA/x' } }
    assert.ok(told(rest).includes('path 2 = PHNjcmlwdD5hbGVydA'))
  })

  test('text in the charset that it says, and in no charset that readers disagree about', () => {
    assert.deepEqual(told(body('text/plain', 'é')), ['body = é'])
    assert.deepEqual(told(body('text/plain; charset=ISO-8859-1', Buffer.from([0xe9]))), ['body = é'])
    assert.deepEqual(told(body('text/plain; charset=utf-16le', Buffer.from('é', 'utf16le'))), ['body = é'])
    assert.deepEqual(told(body('text/plain; charset=utf-16', Buffer.from([0xfe, 0xff, 0, 0x41]))), ['body = A'])
    problemOf(body('text/plain; charset=utf-7', '+ADw-'))
    problemOf(body('text/plain', Buffer.from([0xe9])))
    problemOf(body('text', 'x'))
    problemOf(body('text/plain; a', 'x'))
  })

  test('a body that hides behind another type, or none, is looked at as what it may be', () => {
    for (const type of [undefined, 'application/octet-stream', 'text/plain', 'application/x-unknown']) {
      assert.ok(told(body(type, '{"a":"x"}')).includes('body #/a = x'), type)
      assert.ok(told(body(type, 'a=x%27&b=y')).includes("body a = x'"), type)
    }
    assert.deepEqual(told(body('image/png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1]))), [])
    assert.deepEqual(told(body('application/graphql', '{ a }')), ['body = { a }'])
  })
})

suite('CT3: bounds', () => {
  test('more fields than so, or more text, is a problem', () => {
    problemOf(body('application/json', JSON.stringify(Array.from({ length: 62_501 }, () => 'x'))))
    problemOf({ query: 'a=b&'.repeat(62_501) })
    assert.match(
      (
        requestFields({ ...nothing, query: `a=${'x'.repeat(50)}` }, { fieldsMax: 10, textMax: 40 }) as {
          problem: string
        }
      ).problem,
      /at most 40 characters/,
    )
    assert.equal(
      fieldsOf(body('application/json', JSON.stringify(Array.from({ length: 62_500 }, () => 'x')))).length,
      62_500,
    )
  })

  test('a name is shown in bounds, and without what could run in a log', () => {
    const [field] = fieldsOf({ query: `${'<b>"\n'.repeat(100)}=x` })
    assert.match(field?.place.at ?? '', /^[^<>"\n]{1,201}$/)
    assert.equal(field?.text.length, 500)
  })

  // biome-ignore format: a table
  const bodies: Readonly<Record<string, readonly [type: string, before: string, pattern: string, behind: string]>> = {
    'JSON strings': ['application/json', '["', 'ab ', '"]'], 'JSON arrays': ['application/json', '', '[', ''], 'JSON in a string': ['application/json', '["', '[', ']"]'],
    'escaped JSON': ['application/json', '["{\\"a\\":\\"', '\\\\\\\\', '\\"}"]'], 'form': ['application/x-www-form-urlencoded', '', '%25&', ''], 'one value': ['application/x-www-form-urlencoded', 'a=', '%', ''],
    'names in brackets': ['application/x-www-form-urlencoded', 'a', '[]', '=1'], 'XML openings': ['application/xml', '', '<a>', ''], 'XML comments': ['application/xml', '<a>', '<!---->', '</a>'], 'XML less': ['application/xml', '<a>', '<', ''],
    'XML types': ['application/xml', '<!DOCTYPE a [', '<!--', ''], 'XML quotes': ['application/xml', '<!DOCTYPE a [', `"'`, ''], 'XML attributes': ['application/xml', '<a', ' b', '>'], 'XML spaces': ['application/xml', '<a', ' ', '>'],
    'text': ['text/plain', '', 'a b', ''], 'text braces': ['text/plain', '{', '{', '}'], 'words': ['text/plain', '', '"a\'', ''], 'lines': ['application/x-ndjson', '', '[]\n', ''],
  }
  for (const [name, [type, before, pattern, behind]] of Object.entries(bodies)) {
    test(`a megabyte of ${name} takes time in proportion to its length`, () => {
      assertLinear(name, pattern, (text) =>
        requestFields({ ...nothing, ...body(type, before + text + behind) }, fieldBounds(1_000_000)),
      )
    })
  }

  test('a long name above many members costs its length once', () => {
    assertLinear('long name', '"x",', (text) => {
      const long = 'n'.repeat(text.length)
      const items = Array.from({ length: 5000 }, () => 'x')
      requestFields(
        { ...nothing, ...body('application/json', JSON.stringify({ [long]: { [long]: items } })) },
        fieldBounds(1e7),
      )
    })
  })
})
