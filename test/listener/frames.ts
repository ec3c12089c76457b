// HTTP/2 written by hand (RFC 9113 §4.1): clients that no library would be.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { TlsHouse } from '../support/tls.ts'

export const types = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
export const endStream = 1
export const ack = 1
export const endHeaders = 4

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const body = Buffer.from(payload)
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

/** Fields in the plainest form that there is: literals, never indexed, without Huffman codes (RFC 7541 §6.2.2). */
export function block(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  const { length } = bytes
  if (length < 127) return Buffer.concat([Buffer.from([length]), bytes])
  const digits: number[] = [127]
  let rest = length - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) digits.push((rest % 128) | 128)
  return Buffer.concat([Buffer.from([...digits, rest]), bytes])
}

export const usual = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/open'],
] as const

/** A connection that has agreed on HTTP/2, and what came back by it. */
export class RawHttp2 {
  readonly socket: Socket
  readonly frames: Frame[] = []
  #rest = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  send(...frames: readonly Buffer[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(frames))
  }

  /** The first frame that fits; undefined where the connection ended without one. */
  async receive(fits: (frame: Frame) => boolean): Promise<Frame | undefined> {
    for (;;) {
      const found = this.frames.find(fits)
      if (found !== undefined || this.socket.destroyed) return found
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')])
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** How a stream was refused: the code of its reset, or of the end of the connection. */
  async refusalOf(stream: number): Promise<number | undefined> {
    const found = await this.receive(
      ({ type, stream: of }) => (type === types.reset && of === stream) || type === types.goaway,
    )
    return found?.payload.readUInt32BE(found.type === types.goaway ? 4 : 0)
  }

  /** All that a stream was answered with, bytes and all. */
  async bodyOf(stream: number): Promise<string> {
    await this.receive((one) => one.stream === stream && (one.type === types.reset || (one.flags & endStream) !== 0))
    return this.frames
      .filter((one) => one.stream === stream && one.type === types.data)
      .map(({ payload }) => payload.toString())
      .join('')
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3)
      if (this.#rest.length < 9 + length) return
      const [type = 0, flags = 0] = this.#rest.subarray(3, 5)
      const stream = this.#rest.readUInt32BE(5) & 0x7fff_ffff
      this.frames.push({ type, flags, stream, payload: this.#rest.subarray(9, 9 + length) })
      this.#rest = this.#rest.subarray(9 + length)
    }
  }
}

/** Connects, and greets as a client has to (RFC 9113 §3.4). */
export async function connectRaw(house: TlsHouse): Promise<RawHttp2> {
  return greet(await house.connect({ ALPNProtocols: ['h2'] }))
}

export async function greet(socket: Socket): Promise<RawHttp2> {
  const raw = new RawHttp2(socket)
  raw.send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(types.settings, 0, 0))
  await raw.receive(({ type, flags }) => type === types.settings && flags === 0)
  raw.send(frame(types.settings, ack, 0))
  return raw
}
