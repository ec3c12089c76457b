import { connect, type Socket } from 'node:net'

/** A ClamAV daemon. */
export interface Clamd {
  /** What it calls what it found, or `undefined` for a clean file. Rejects where it does not answer in time, or not in its words. */
  scan(bytes: Uint8Array): Promise<string | undefined>
}

/** Speaks to `clamd` by `INSTREAM` (clamd(8)): a connection for each file, in pieces with their lengths before them. */
export function openClamd(address: string, deadlineMs: number): Clamd {
  const place = address.startsWith('/') ? { path: address } : hostAndPort(address)
  return {
    scan: (bytes) =>
      new Promise((resolve, reject) => {
        const socket = connect(place)
        const deadline = setTimeout(() => fail(new Error(`clamd did not answer within ${deadlineMs} ms`)), deadlineMs)
        let answer = ''
        const fail = (error: Error): void => {
          clearTimeout(deadline)
          socket.destroy()
          reject(error)
        }
        socket.once('error', fail)
        socket.once('connect', () => send(socket, bytes))
        socket.on('data', (chunk: Buffer) => {
          answer += chunk.toString('latin1')
          if (answer.length > answerMax) fail(new Error('clamd answered more than it should'))
          const end = answer.indexOf('\0')
          if (end < 0) return
          clearTimeout(deadline)
          socket.destroy()
          const verdict = readAnswer(answer.slice(0, end))
          if (verdict instanceof Error) reject(verdict)
          else resolve(verdict.found)
        })
        socket.once('close', () => fail(new Error('clamd closed the connection before it answered')))
      }),
  }
}

const answerMax = 4_096
const pieceBytes = 64 * 1024

function send(socket: Socket, bytes: Uint8Array): void {
  socket.write('zINSTREAM\0')
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(piece.byteLength)
    socket.write(length)
    socket.write(piece)
  }
  socket.write(Buffer.alloc(4))
}

/** `stream: OK`, `stream: Eicar-Test-Signature FOUND`, or an error of its own. */
function readAnswer(answer: string): { readonly found: string | undefined } | Error {
  if (answer === 'stream: OK') return { found: undefined }
  const found = /^stream: (.+) FOUND$/s.exec(answer) // a signature may be called anything: `{HEX}php.base64.v23au.185`
  return found === null ? new Error('clamd could not look at the file') : { found: printable(found[1] as string) }
}

/** It goes to the log. */
function printable(name: string): string {
  return name.slice(0, 200).replace(/[^\x20-\x7e]/g, '?')
}

function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':')
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) }
}
