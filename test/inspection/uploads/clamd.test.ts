import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { openClamd } from '../../../src/inspection/uploads/clamd.ts'

/** Speaks `INSTREAM` as clamd does (clamd(8)): it reads every piece by its length, and judges what they come to. */
async function daemon(
  verdict: (bytes: Buffer, socket: Socket) => string | undefined,
): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => {
    let read = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      read = Buffer.concat([read, chunk])
      const pieces: Buffer[] = []
      let at = read.indexOf(0) + 1
      if (at === 0 || read.subarray(0, at).toString() !== 'zINSTREAM\0') return
      for (;;) {
        if (at + 4 > read.byteLength) return
        const length = read.readUInt32BE(at)
        if (length === 0) break
        if (at + 4 + length > read.byteLength) return
        pieces.push(read.subarray(at + 4, at + 4 + length))
        at += 4 + length
      }
      const answer = verdict(Buffer.concat(pieces), socket)
      if (answer !== undefined) socket.end(`${answer}\0`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const signature = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')

test('CT7: a file goes to clamd whole, in pieces, and its verdict comes back by name', async () => {
  const seen: number[] = []
  const { server, address } = await daemon((bytes) => {
    seen.push(bytes.byteLength)
    return bytes.includes(signature) ? 'stream: Eicar-Test-Signature FOUND' : 'stream: OK'
  })
  try {
    const clamd = openClamd(address, 2_000)
    assert.equal(await clamd.scan(Buffer.alloc(300_000, 'a')), undefined)
    assert.equal(await clamd.scan(Buffer.from(signature)), 'Eicar-Test-Signature')
    assert.equal(await clamd.scan(new Uint8Array()), undefined)
    assert.deepEqual(seen, [300_000, signature.length, 0])
  } finally {
    server.close()
  }
})

test('CT7: a daemon that is silent, leaves, talks nonsense or too much, or is not there has not said that a file is clean', async () => {
  const answers: readonly (readonly [
    why: string,
    verdict: (bytes: Buffer, socket: Socket) => string | undefined,
    says: RegExp,
  ])[] = [
    ['silent', () => undefined, /within 200 ms/],
    ['leaves', (_bytes, socket) => void socket.destroy(), /closed|reset/i],
    ['an error of its own', () => 'INSTREAM size limit exceeded. ERROR', /could not look/],
    ['nonsense', () => 'stream: OK but', /could not look/],
    ['too much', () => 'x'.repeat(10_000), /more than it should/],
  ]
  for (const [why, verdict, says] of answers) {
    const { server, address } = await daemon(verdict)
    try {
      await assert.rejects(openClamd(address, 200).scan(Buffer.from('a')), says, why)
    } finally {
      server.close()
    }
  }
  await assert.rejects(openClamd('/nowhere/clamd.sock', 200).scan(Buffer.from('a')), /ENOENT/)
})
