// What code prints, in memory that both threads see: what was printed is there even where the thread that printed it had to be ended.

const headBytes = 8

/** Room for the output of a run. */
export function outputRoom(bytesMax: number): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + bytesMax)
}

/** Where Python’s thread prints. What has no room is dropped, and costs nothing. */
export function printerInto(room: SharedArrayBuffer): (bytes: Uint8Array) => void {
  const [head, body] = [new Int32Array(room, 0, 2), new Uint8Array(room, headBytes)]
  return (bytes) => {
    const written = head[0] ?? 0
    const fits = Math.min(bytes.length, body.length - written)
    body.set(bytes.subarray(0, fits), written)
    if (fits < bytes.length) head[1] = 1
    // Last, so that whoever reads the count finds the bytes.
    Atomics.store(head, 0, written + fits)
  }
}

/** What has been printed, as text that is never longer than its room. */
export class Printed {
  text = ''
  readonly #head: Int32Array
  readonly #body: Uint8Array
  readonly #decoder = new TextDecoder()
  #read = 0
  #bytes = 0
  #full = false

  constructor(room: SharedArrayBuffer) {
    this.#head = new Int32Array(room, 0, 2)
    this.#body = new Uint8Array(room, headBytes)
  }

  /** What is new since it was last asked. */
  more(last = false): string {
    const written = Atomics.load(this.#head, 0)
    // A character whose rest may still come is kept back; at the end, what was cut through is left out.
    const piece = this.#decoder.decode(this.#body.slice(this.#read, written), { stream: !last || this.cut })
    this.#read = written
    return this.#kept(piece)
  }

  get cut(): boolean {
    return this.#full || Atomics.load(this.#head, 1) !== 0
  }

  #kept(piece: string): string {
    if (this.#full || piece === '') return ''
    // Bytes that are no text are longer as the sign that stands for them.
    const bytes = new TextEncoder().encode(piece)
    const room = this.#body.length - this.#bytes
    this.#full = bytes.length > room
    const kept = this.#full ? new TextDecoder().decode(bytes.subarray(0, room), { stream: true }) : piece
    this.#bytes += Math.min(bytes.length, room)
    this.text += kept
    return kept
  }
}
