// Python as it is once it has started and been prepared: its memory, and the little that lies outside of it. Instances are made
// from it, and each run begins with it.

/** What an image was made from; one that does not match is not used. */
export interface ImageOrigin {
  readonly format: 1
  /** Version and size of the interpreter. */
  readonly interpreter: string
  /** A digest of the trusted Python in it. */
  readonly prepared: string
  readonly imports: readonly string[]
}

export interface PythonImage {
  readonly origin: ImageOrigin
  /** Functions that Python calls by number: `GOT.func` of the module’s imports. */
  readonly functionNumbers: Readonly<Record<string, number>>
  /** What stands in the table of functions beyond what the module brings: the number, and the name of an export. */
  readonly table: readonly (readonly [number, string])[]
  /** The number of the function that calls others by as many arguments as they take, and its module. */
  readonly trampoline: { readonly number: number; readonly module: Uint8Array }
  readonly stackPointer: number
  /** Where the trusted function is that runs code. */
  readonly runner: number
  /** Where what the code holds begins to count. */
  readonly heapEnd: number
  /** How large its memory is; the part of it that is not zero stands in `memory`. */
  readonly pages: number
  readonly memory: Uint8Array
}

const magic = 'gatehouse-python-image\n'

/** An image as bytes of a file. */
export function imageBytes(image: PythonImage): Uint8Array[] {
  const { memory, trampoline, ...rest } = image
  const used = memory.length
  const head = new TextEncoder().encode(
    JSON.stringify({
      ...rest,
      trampoline: { number: trampoline.number, module: [...trampoline.module] },
    }),
  )
  const sizes = new Uint8Array(8)
  new DataView(sizes.buffer).setUint32(0, head.length, true)
  new DataView(sizes.buffer).setUint32(4, used, true)
  return [new TextEncoder().encode(magic), sizes, head, memory]
}

/** An image out of the bytes of a file; `undefined` where they are none, or one of something else. */
export function imageOf(bytes: Uint8Array, origin: ImageOrigin): PythonImage | undefined {
  if (new TextDecoder().decode(bytes.subarray(0, magic.length)) !== magic) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = magic.length + 8
  if (bytes.length < start) return undefined
  const headBytes = view.getUint32(magic.length, true)
  const used = view.getUint32(magic.length + 4, true)
  if (bytes.length !== start + headBytes + used) return undefined
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(start, start + headBytes)))
  if (JSON.stringify(head.origin) !== JSON.stringify(origin)) return undefined
  const module = Uint8Array.from(head.trampoline.module)
  return { ...head, trampoline: { number: head.trampoline.number, module }, memory: bytes.subarray(start + headBytes) }
}

export const pageBytes = 65_536

/** A copy of a memory without the zeros at its end. */
export function withoutZeros(memory: Uint8Array): Uint8Array {
  let end = memory.length
  while (end > 0 && memory[end - 1] === 0) end--
  return memory.slice(0, end)
}
