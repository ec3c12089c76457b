// What is used of WebAssembly: Node’s types say nothing of it.

export interface WasmModule {
  readonly wasmModule: unique symbol
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

export interface WasmTable {
  readonly length: number
  grow(by: number): number
  get(number: number): unknown
  set(number: number, value: unknown): void
}

export interface WasmGlobal {
  value: number
}

export type WasmFunction = (...args: (number | bigint)[]) => number

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>
}

export type WasmImports = Readonly<Record<string, Record<string, unknown>>>

interface WebAssemblyApi {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule
    imports(module: WasmModule): readonly { readonly module: string; readonly name: string; readonly kind: string }[]
    exports(module: WasmModule): readonly { readonly name: string }[]
  }
  readonly Instance: new (module: WasmModule, imports: WasmImports) => WasmInstance
  readonly Global: new (type: { value: 'i32'; mutable: true }, value: number) => WasmGlobal
  readonly RuntimeError: new () => Error
}

export const wasm = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly

/** A function that a module exports; its absence is a fault of ours. */
export function exported(instance: WasmInstance, name: string): WasmFunction {
  const found = instance.exports[name]
  if (typeof found !== 'function') throw new Error(`expected the interpreter to export \`${name}\``)
  return found as WasmFunction
}
