// The native part of `isolated-vm`, loaded by its path: its own loader looks for it in places that are not there. Its types are as far as they are
// used here.
import { dlopen } from 'node:process'

export interface IsolatedVm {
  readonly Isolate: new (options: {
    readonly memoryLimit: number
    readonly onCatastrophicError: (message: string) => void
  }) => Isolate
  readonly Callback: new (act: (text: string) => void, options: { readonly ignored: true }) => object
}

export interface Isolate {
  createContextSync(): Context
  compileScript(code: string, options: { readonly filename: string }): Promise<Script>
  compileModule(code: string, options: { readonly filename: string }): Promise<Module>
  getHeapStatisticsSync(): { readonly total_heap_size: number; readonly externally_allocated_size: number }
  dispose(): void
  readonly isDisposed: boolean
  /** Nanoseconds. */
  readonly cpuTime: bigint
}

export interface Context {
  readonly global: Reference
  evalSync(code: string, options: { readonly reference: true; readonly filename?: string }): Reference
}

export interface Script {
  run(context: Context, options: { readonly timeout: number; readonly reference: true }): Promise<Reference>
}

export interface Module {
  readonly dependencySpecifiers: readonly string[]
  instantiate(context: Context, resolve: (specifier: string) => never): Promise<void>
  evaluate(options: { readonly timeout: number; readonly promise: true; readonly reference: true }): Promise<unknown>
}

export interface Reference {
  derefInto(): object
  applySync(
    receiver: undefined,
    args: readonly unknown[],
    options: { readonly timeout: number; readonly result?: { readonly reference: true } },
  ): unknown
  apply(
    receiver: undefined,
    args: readonly unknown[],
    options: { readonly timeout: number; readonly result: { readonly promise: true; readonly copy: true } },
  ): Promise<unknown>
}

export function loadIsolatedVm(path: string): IsolatedVm {
  const native = { exports: {} as { readonly ivm: IsolatedVm } }
  dlopen(native, path)
  return native.exports.ivm
}
