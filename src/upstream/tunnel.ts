import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Duplex } from 'node:stream'
import { hopByHop } from '../http/head.ts'
import { HeldSource } from '../http/source.ts'
import { Fault } from '../kernel/error.ts'
import type { Call, UpstreamAnswer } from './call.ts'
import type { UpstreamOptions } from './options.ts'
import { passedTrailers } from './trailers.ts'

/** An upstream that switched protocols: its side of the tunnel, and what it sent along with its yes. */
export interface Tunnel {
  readonly socket: Duplex
  readonly first: Buffer
}

export type TunnelAnswer = UpstreamAnswer & { readonly tunnel: Tunnel | undefined }

/**
 * Asks an upstream to upgrade. Node's own client stands here in place of undici's, because it hands over the answer of an
 * upstream that declines; the request itself is rare and long-lived, so its speed does not matter.
 */
export function openTunnel(origin: URL, call: Call, options: UpstreamOptions, name: string): Promise<TunnelAnswer> {
  return new Promise((resolve, reject) => {
    const request = (origin.protocol === 'https:' ? requestHttps : requestHttp)(origin, {
      method: call.method,
      path: call.path,
      headers: ['Host', origin.host, ...call.headers] as unknown as Record<string, string>,
      timeout: options.answerTimeout,
      agent: false,
    })
    call.onAbortable?.((reason) => request.destroy(reason))
    request.on('timeout', () =>
      request.destroy(new Fault('upstream-timeout', `upstream \`${name}\` did not answer in time`)),
    )
    request.on('error', (error) => {
      reject(
        error instanceof Fault
          ? error
          : new Fault('upstream-unreachable', `upstream \`${name}\` at ${origin.origin}: ${error.message}`, error),
      )
    })
    request.on('upgrade', (response, socket, first) => {
      request.setTimeout(0)
      const body = nothingOf(socket)
      resolve({ status: 101, headers: passedOn(response.rawHeaders), body, tunnel: { socket, first } })
    })
    request.on('response', (response) => {
      const source = new HeldSource({
        pause: () => response.pause(),
        resume: () => response.resume(),
        abort: (reason) => response.destroy(reason),
      })
      response.on('data', (bytes: Buffer) => source.chunk(bytes))
      response.on('end', () => source.end(passedTrailers(response.rawTrailers)))
      response.on('error', (error) => source.fail(error))
      resolve({
        status: response.statusCode ?? 502,
        headers: passedOn(response.rawHeaders),
        body: source,
        tunnel: undefined,
      })
    })
    request.end()
  })
}

/** The body of a 101. Where nobody comes for the tunnel after all, who aborts the one ends the other. */
function nothingOf(socket: Duplex): HeldSource {
  const source = new HeldSource({ pause() {}, resume() {}, abort: () => void socket.destroy() })
  source.end([])
  return source
}

function passedOn(raw: readonly string[]): string[] {
  const fields: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    if (!hopByHop.has((raw[at] as string).toLowerCase())) fields.push(raw[at] as string, raw[at + 1] as string)
  }
  return fields
}
