import { Readable } from 'node:stream'
import { readHead } from './head.ts'
import type { Delivered, Inbound, Outbound } from './message.ts'
import type { PeerCertificate } from './peer-certificate.ts'
import type { Source } from './source.ts'
import { parseTarget } from './target.ts'

/**
 * A request of the Fetch standard, seen as the gate sees it. Its fields come merged: whoever parsed it has judged its framing.
 * It says nothing of its connection: `certificate` is what whoever has that knows of the client.
 */
export function inboundOfFetch(request: Request, peer: string, certificate?: PeerCertificate): Inbound {
  const url = new URL(request.url)
  const target = parseTarget(url.pathname + url.search)
  const headers: string[] = []
  for (const [name, value] of request.headers) headers.push(name, value)
  if (!request.headers.has('host')) headers.push('host', url.host)
  const head = readHead(request.method, target, headers, '1.1')
  const { body } = request
  return {
    method: request.method,
    target,
    reading: 'exact',
    headers,
    head,
    peer,
    encrypted: url.protocol === 'https:',
    version: '1.1',
    toHttps: false,
    certificate,
    body: body === null ? undefined : Readable.fromWeb(body as import('node:stream/web').ReadableStream),
    proceed: undefined,
  }
}

/** An answer as the Fetch standard has it; `done` is told once, when the last byte was taken or nobody wants it. */
export function responseOf(outbound: Outbound, done: (delivered: Delivered) => void): Response {
  const headers = new Headers()
  for (let at = 0; at < outbound.headers.length; at += 2)
    headers.append(outbound.headers[at] as string, outbound.headers[at + 1] as string)
  const { body, status } = outbound
  if (body === undefined || body instanceof Uint8Array) {
    done({ bytes: body?.byteLength ?? 0, whole: true })
    return new Response(body === undefined ? null : (body as Uint8Array<ArrayBuffer>), { status, headers })
  }
  return new Response(status === 204 || status === 304 ? drained(body, done) : streamOf(body, done), {
    status,
    headers,
  })
}

function drained(source: Source, done: (delivered: Delivered) => void): null {
  source.flow({ chunk() {}, end: () => done({ bytes: 0, whole: true }), fail: () => done({ bytes: 0, whole: false }) })
  return null
}

function streamOf(source: Source, done: (delivered: Delivered) => void): ReadableStream<Uint8Array> {
  let bytes = 0
  return new ReadableStream({
    start(controller) {
      source.flow({
        chunk(chunk) {
          bytes += chunk.byteLength
          controller.enqueue(chunk)
          if ((controller.desiredSize ?? 0) <= 0) source.pause()
        },
        end() {
          controller.close()
          done({ bytes, whole: true })
        },
        fail(error) {
          controller.error(error)
          done({ bytes, whole: false })
        },
      })
    },
    pull: () => source.resume(),
    cancel() {
      source.abort(new Error('nobody reads the answer'))
      done({ bytes, whole: false })
    },
  })
}
