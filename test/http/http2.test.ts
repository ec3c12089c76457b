import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants, createServer, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { StreamBody } from '../../src/http/http2.ts'
import { block, endHeaders, endStream, frame, greet, type RawHttp2, types, usual } from '../listener/frames.ts'

async function begin(context: TestContext): Promise<readonly [RawHttp2, StreamBody, ServerHttp2Stream]> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const raw = await greet(connect((server.address() as AddressInfo).port, '127.0.0.1'))
  context.after(() => {
    raw.socket.destroy()
    server.close()
  })
  raw.send(frame(types.headers, endHeaders, 1, block([[':method', 'POST'], ...usual.slice(1)])))
  const [stream] = (await once(server, 'stream')) as [ServerHttp2Stream]
  stream.on('error', () => {})
  return [raw, new StreamBody(stream), stream]
}

function outcomeOf(body: StreamBody): Promise<string> {
  body.resume()
  return new Promise((resolve) => {
    body.on('end', () => resolve('whole'))
    body.on('error', () => resolve('broken off'))
  })
}

test('C: a body ends with its stream’s own end, and a reset is none, whatever it says', async (context) => {
  const [whole, wholeBody] = await begin(context)
  whole.send(frame(types.data, 0, 1, 'a part'), frame(types.data, endStream, 1, ' and the rest'))
  assert.equal(await outcomeOf(wholeBody), 'whole')
  assert.equal(wholeBody.received, 'a part and the rest'.length)
  for (const code of [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL]) {
    const [raw, body] = await begin(context)
    const outcome = outcomeOf(body)
    raw.send(frame(types.data, 0, 1, 'a part'))
    await once(body, 'data')
    raw.send(frame(types.reset, 0, 1, Buffer.from([0, 0, 0, code])))
    assert.equal(await outcome, 'broken off', String(code))
  }
})

test('giving up on a body leaves the stream to the answer', async (context) => {
  const [raw, body, stream] = await begin(context)
  body.destroy()
  await once(body, 'close')
  assert.equal(stream.destroyed, false)
  stream.respond([':status', '200'])
  stream.end('an answer')
  assert.equal(await raw.bodyOf(1), 'an answer')
})
