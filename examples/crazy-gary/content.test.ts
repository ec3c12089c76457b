import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, deflateSync } from 'node:zlib'
import { eventually } from '../../test/support/eventually.ts'
import { startHouse } from '../../test/support/house.ts'
import { post } from '../../test/support/process.ts'
import { eventsSoon } from '../../test/support/record.ts'
import config from './gatehouse.config.ts'

interface Told {
  readonly code?: string
  readonly errors?: Readonly<Record<string, readonly string[]>>
  readonly invalid?: readonly { readonly pointer: string; readonly detail: string }[]
  readonly received?: unknown
}

test('Crazy-Gary: tasks by their schema and without markup, files by what they hold', async (context) => {
  const quick = { ...config, limits: false as const, audit: {}, store: 'sqlite::memory:' }
  const house = await startHouse(context, quick, { roles: ['admin'] })
  const token = await house.signIn()
  const authorization = `Bearer ${token}`
  const fits = { title: 'Sort the inbox', description: 'By how soon each letter wants an answer.' }
  const make = async (task: unknown): Promise<readonly [status: number, told: Told]> => {
    const answer = await post(`${house.url}/api/tasks`, task, { authorization })
    return [answer.status, (await answer.json()) as Told]
  }

  await context.test('CT1 C: what fits the schema, to its edges, reaches the API as it was sent', async () => {
    for (const task of [
      fits,
      { title: 'abc', description: 'x'.repeat(10) },
      { title: 't'.repeat(100), description: 'd'.repeat(1000) },
      ...['low', 'medium', 'high', 'critical'].map((priority) => ({ ...fits, priority })),
      ...['gpt-oss-120b', 'gpt-oss-20b'].map((model) => ({ ...fits, model })),
    ]) {
      const [status, { received }] = await make(task)
      assert.deepEqual([status, received], [201, task])
    }
  })

  await context.test('CT1 C: what does not is 422, with the messages of each field and a pointer to it', async () => {
    const wrong = { title: 'ab', description: 'd'.repeat(1001), priority: 'soon', model: 'other' }
    const [status, { code, errors, invalid }] = await make(wrong)
    assert.deepEqual([status, code], [422, 'body-invalid'])
    assert.deepEqual(errors, {
      title: ['must have at least 3 characters, got 2'],
      description: ['must have at most 1000 characters, got 1001'],
      priority: ['must be one of low, medium, high, critical'],
      model: ['must be one of gpt-oss-120b, gpt-oss-20b'],
    })
    assert.deepEqual(
      invalid?.map(({ pointer }) => pointer),
      ['/title', '/description', '/priority', '/model'],
    )
    for (const [task, field] of [
      [{ ...fits, title: 't'.repeat(101) }, 'title'],
      [{ ...fits, description: 'x'.repeat(9) }, 'description'],
      [{ description: fits.description }, 'title'],
      [{ ...fits, owner: 'me' }, 'owner'],
    ] as const) {
      const [refused, told] = await make(task)
      assert.deepEqual([refused, Object.keys(told.errors ?? {})], [422, [field]])
    }
  })

  await context.test('CT2 C: no markup is left in a title or a description, and all that is none stays', async () => {
    const [, { received }] = await make({
      title: 'Call <b>O’Brien & Sons</b><script>alert(1)</script>',
      description: 'if a < b & c > d then ask "O\'Brien" <img src=x onerror=alert(1)> about AT&T',
      priority: 'low',
    })
    assert.deepEqual(received, {
      title: 'Call O’Brien & Sons',
      description: 'if a < b & c > d then ask "O\'Brien"  about AT&T',
      priority: 'low',
    })
  })

  const upload = async (
    bytes: Uint8Array<ArrayBuffer> | string,
    name: string,
    type: string,
  ): Promise<readonly [number, Told]> => {
    const body = new FormData()
    body.set('file', new Blob([bytes], { type }), name)
    const answer = await fetch(`${house.url}/api/files`, { method: 'POST', headers: { authorization }, body })
    return [answer.status, (await answer.json()) as Told]
  }
  const png = onePixel()

  await context.test('CT7 C: a file that is what it says, of a kind that is taken, goes on', async () => {
    assert.equal((await upload(png, 'pixel.png', 'image/png'))[0], 201)
    assert.equal((await upload('What was said at noon.\n', 'notes of May.txt', 'text/plain'))[0], 201)
  })

  await context.test('CT7 C: by its content, whatever its name and its sender say', async () => {
    for (const [bytes, name, type] of [
      ['MZ\u0090\0\u0003\0\0\0 a program that calls itself a picture', 'cat.png', 'image/png'],
      [png, 'cat.jpg', 'image/jpeg'],
      ['<html><script>alert(1)</script></html>', 'notes.txt', 'text/plain'],
      ['PK\u0003\u0004 an archive', 'all.zip', 'application/zip'],
    ] as const) {
      const [status, { code, errors }] = await upload(bytes, name, type)
      assert.deepEqual([status, code, Object.keys(errors ?? {})], [422, 'upload-refused', ['file']], name)
    }
    const found = await eventually(async () => {
      const events = await eventsSoon(house.url, token, 'type=api_access&result=denied')
      return events.map(({ details }) => details['findings']).find((findings) => findings !== undefined)
    })
    assert.match(String(found), /^[a-z]+ 100 % at body file \(upload\/[a-z]+\)/)
  })

  await context.test('CT7 C: no name with `..`, `/`, `\\` or `~`, and none that hides one', async () => {
    for (const name of ['../a.png', 'a/b.png', '~a.png', 'a..png', '%2e%2e%2fa.png', 'a\u2215b.png', 'con.png']) {
      const [status, { code, errors }] = await upload(png, name, 'image/png')
      assert.deepEqual([status, code], [422, 'upload-refused'], name)
      assert.match(errors?.['file']?.[0] ?? '', /^expected a plain file name, got /, name)
    }
    // In a quoted name a backslash is read in two ways (RFC 9110 §5.6.4): the form itself is refused.
    const [status, { received }] = await upload(png, 'a\\b.png', 'image/png')
    assert.deepEqual([status === 400 || status === 422, received], [true, undefined])
  })

  await context.test('CT7 C: no larger than 5 MB, and nothing but a form of one file', async () => {
    const five = 5 * 1024 * 1024
    assert.equal((await upload('a'.repeat(five), 'five.txt', 'text/plain'))[0], 201)
    const [status, { errors }] = await upload('a'.repeat(five + 1), 'more.txt', 'text/plain')
    assert.deepEqual([status, errors], [422, { file: [`expected at most ${five} bytes`] }])
    assert.equal((await upload('a'.repeat(6 * 1024 * 1024), 'six.txt', 'text/plain'))[0], 413)
    assert.equal((await post(`${house.url}/api/files`, { file: 'MZ' }, { authorization })).status, 415)
  })
})

/** A picture of one pixel (PNG, ISO/IEC 15948). */
function onePixel(): Uint8Array<ArrayBuffer> {
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0])
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const pieces = [
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from([0, 255]))),
    chunk('IEND', Buffer.alloc(0)),
  ]
  return new Uint8Array(Buffer.concat(pieces))
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const whole = Buffer.alloc(body.length + 8)
  whole.writeUInt32BE(data.length, 0)
  body.copy(whole, 4)
  whole.writeUInt32BE(crc32(body), body.length + 4)
  return whole
}
