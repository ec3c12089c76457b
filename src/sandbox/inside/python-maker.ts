// Makes the image of a Python that is ready to run code. No code of strangers is anywhere near yet, so that Python is first started
// with all that its distribution brings, from its own files; what is made of it then has none of that left.
import { createHash } from 'node:crypto'
import { constants, readFileSync, statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { ChildClock } from './clock.ts'
import type { ChildTask } from './protocol.ts'
import { checkSource } from './python-check.ts'
import { utcGates } from './python-gates.ts'
import { type ImageOrigin, type PythonImage, pageBytes, withoutZeros } from './python-image.ts'
import { noRun, startMachine } from './python-machine.ts'
import { runnerSource } from './python-runner.ts'
import { prepareSource, stripSource } from './python-strip.ts'
import {
  exported,
  type WasmGlobal,
  type WasmImports,
  type WasmInstance,
  type WasmModule,
  type WasmTable,
  wasm,
} from './web-assembly.ts'

/** What the runner needs, what C and the standard library load when they are first asked, and the usual encodings. */
const preloaded = [
  ...[
    'abc',
    'ast',
    'bisect',
    'calendar',
    'collections',
    'collections.abc',
    'contextlib',
    'copy',
    'copyreg',
    'datetime',
    'decimal',
  ],
  ...[
    'annotationlib',
    'enum',
    'fractions',
    'functools',
    'heapq',
    'inspect',
    'io',
    'itertools',
    'json',
    'keyword',
    'linecache',
  ],
  ...[
    'locale',
    'math',
    'numbers',
    'operator',
    'random',
    're',
    'reprlib',
    'signal',
    'statistics',
    'string',
    'struct',
    'textwrap',
  ],
  ...[
    'time',
    'token',
    'tokenize',
    'traceback',
    'types',
    'typing',
    'unicodedata',
    'warnings',
    'weakref',
    '_pylong',
    '_strptime',
    '__future__',
  ],
  ...[
    'ascii',
    'latin_1',
    'cp437',
    'cp850',
    'cp1250',
    'cp1251',
    'cp1252',
    'iso8859_1',
    'iso8859_2',
    'iso8859_15',
    'utf_8_sig',
  ]
    .concat(['utf_16', 'utf_16_le', 'utf_16_be', 'utf_32', 'utf_32_le', 'utf_32_be', 'utf_7', 'idna', 'punycode'])
    .concat(['unicode_escape', 'raw_unicode_escape', 'hex_codec', 'base64_codec', 'rot_13', 'koi8_r', 'mac_roman'])
    .map((name) => `encodings.${name}`),
]

/** Where an image of a task comes from, by what is cheap to ask. */
export function originOf({ interpreter, imports }: ChildTask): ImageOrigin {
  const { version } = JSON.parse(readFileSync(`${interpreter}/package.json`, 'utf8')) as { version: string }
  const text = createHash('sha256').update(
    [prepareSource, stripSource, checkSource, runnerSource, ...preloaded].join('\0'),
  )
  return {
    format: 1,
    interpreter: `${version} ${statSync(`${interpreter}/pyodide.asm.wasm`).size}`,
    prepared: text.digest('hex'),
    imports: [...new Set(imports)].sort(),
  }
}

export function compile({ interpreter }: ChildTask): WasmModule {
  return new wasm.Module(readFileSync(`${interpreter}/pyodide.asm.wasm`))
}

/** Starts Python by its own ways, prepares it, and takes its image. */
export async function makeImage(module: WasmModule, task: ChildTask, clock: ChildClock): Promise<PythonImage> {
  const origin = originOf(task)
  const started = await startDistribution(module, task.interpreter)
  runText(started.instance, preparation(origin.imports), started.said)
  emptyInittab(started.instance)
  const raw = takeImage(started, module, origin)
  // Once more behind the gates: what Python asks of its surroundings while it settles is asked there, and what does not work shows here.
  const said: string[] = []
  const machine = startMachine(module, raw, clock, {
    ...noRun,
    print: (bytes) => said.push(new TextDecoder().decode(bytes)),
  })
  runText(machine.instance, 'import sys\nsys.modules["__gatehouse__"].settle()\n', said)
  const image = { ...raw, memory: withoutZeros(machine.memory()), pages: machine.memory().length / pageBytes }
  return { ...image, heapEnd: exported(machine.instance, 'sbrk')(0) >>> 0 }
}

/** The part of the distribution’s own start that is used: what it makes a module of, and the module. */
interface Emscripten {
  readonly FS: { mkdirTree(path: string): void; writeFile(path: string, bytes: Uint8Array): void }
  readonly ENV: Record<string, string>
}

interface Started {
  readonly instance: WasmInstance
  readonly imports: WasmImports
  readonly trampoline: Uint8Array
  /** How many functions its table has of its own. */
  readonly numbers: number
  /** What Python says while it starts: why it does not. */
  readonly said: readonly string[]
}

async function startDistribution(module: WasmModule, folder: string): Promise<Started> {
  // Under Node’s permission model there is none, and Emscripten asks it for the constants of files.
  Object.assign(process, { binding: () => ({ fs: constants }) })
  const api = (globalThis as unknown as { WebAssembly: Record<string, unknown> }).WebAssembly
  // Without them nothing waits for promises of JavaScript from within Python.
  delete api['Suspending']
  delete api['promising']
  let trampoline: Uint8Array | undefined
  const Module = api['Module']
  api['Module'] = new Proxy(wasm.Module, {
    construct: (target, [bytes]: [Uint8Array]) => {
      const made = new target(bytes)
      if (wasm.Module.exports(made).some(({ name }) => name === 'trampoline_call')) trampoline = Uint8Array.from(bytes)
      return made
    },
  })
  let found: Omit<Started, 'trampoline' | 'said'> | undefined
  const said: string[] = []
  const errorOfJavaScript = Symbol('error')
  const { default: create } = (await import(pathToFileURL(`${folder}/pyodide.asm.mjs`).href)) as {
    default: (settings: unknown) => Promise<Emscripten>
  }
  try {
    await create({
      noImageDecoding: true,
      noAudioDecoding: true,
      noWasmDecoding: true,
      thisProgram: 'python',
      arguments: [],
      print: (line: string) => said.push(line),
      printErr: (line: string) => said.push(line),
      API: { config: { jsglobals: Object.create(null), env: {}, indexURL: folder }, runtimeEnv: { IN_NODE: true } },
      preRun: [
        ({ FS, ENV }: Emscripten) => {
          Object.assign(ENV, { HOME: '/', PYTHONINSPECT: '1', PYTHONDONTWRITEBYTECODE: '1', PYTHONNOUSERSITE: '1' })
          FS.mkdirTree('/lib/python3.14/lib-dynload')
          FS.writeFile('/lib/python314.zip', readFileSync(`${folder}/python_stdlib.zip`))
        },
      ],
      instantiateWasm: (imports: WasmImports, ready: (instance: WasmInstance, module: WasmModule) => void) => {
        const env = imports['env'] ?? {}
        env['Jsv_GetError_import'] = () => errorOfJavaScript
        env['JsvError_Check'] = (value: unknown) => value === errorOfJavaScript
        Object.assign(
          env,
          utcGates(() => memoryOf(instance).buffer as ArrayBuffer),
        )
        const instance = new wasm.Instance(module, imports)
        found = { instance, imports, numbers: tableOf(instance).length }
        ready(instance, module)
        return {}
      },
    })
  } finally {
    api['Module'] = Module
  }
  if (found === undefined || trampoline === undefined)
    throw new Error('expected the interpreter to start as it is known to')
  return { ...found, trampoline, said }
}

function takeImage(
  { instance, imports, trampoline, numbers }: Started,
  module: WasmModule,
  origin: ImageOrigin,
): PythonImage {
  const names = new Map(Object.entries(instance.exports).map(([name, value]) => [value, name]))
  const table = tableOf(instance)
  const added: [number, string][] = []
  let trampolineNumber = -1
  const runtime = new DataView(memoryOf(instance).buffer)
  for (let number = numbers; number < table.length; number++) {
    const entry = table.get(number)
    const name = names.get(entry)
    if (name !== undefined) added.push([number, name])
  }
  const offset = runtime.getUint32(addressOf(instance, '_PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET'), true)
  trampolineNumber = runtime.getUint32(addressOf(instance, '_PyRuntime') + offset, true)
  if (trampolineNumber < numbers || trampolineNumber >= table.length)
    throw new Error('expected the interpreter to have its trampoline')
  const functionNumbers: Record<string, number> = {}
  for (const { module: space, name, kind } of wasm.Module.imports(module))
    if (kind === 'global') functionNumbers[name] = numberOf(imports, space, name)
  runtime.setUint8(addressOf(instance, 'Py_EMSCRIPTEN_SIGNAL_HANDLING'), 1)
  const runner = attribute(instance, '__gatehouse__', 'run')
  const memory = memoryOf(instance)
  return {
    origin,
    functionNumbers,
    table: added,
    trampoline: { number: trampolineNumber, module: trampoline },
    stackPointer: (instance.exports['__stack_pointer'] as WasmGlobal).value,
    runner,
    heapEnd: exported(instance, 'sbrk')(0) >>> 0,
    pages: memory.length / pageBytes,
    memory: withoutZeros(memory),
  }
}

/** Takes the list of modules that are written in C and can be made anew: both the one it was made with, and the one in use. */
function emptyInittab(instance: WasmInstance): void {
  const memory = memoryOf(instance)
  const words = new Uint32Array(memory.buffer)
  const first = (words[addressOf(instance, 'PyImport_Inittab') >>> 2] ?? 0) >>> 2
  const beginning = words.slice(first, first + 16)
  let emptied = 0
  for (let at = 0; at + beginning.length < words.length; at++) {
    if (words[at] !== beginning[0] || !beginning.every((word, index) => words[at + index] === word)) continue
    for (let entry = at; (words[entry] ?? 0) !== 0; entry += 2) words.fill(0, entry, entry + 2)
    emptied++
  }
  if (emptied === 0) throw new Error('expected to find the list of the interpreter’s modules')
}

function preparation(imports: readonly string[]): string {
  const set = (names: readonly string[]) => `frozenset(${JSON.stringify(names)})`
  return [
    'import sys',
    'runner = type(sys)("__gatehouse__")',
    'sys.modules["__gatehouse__"] = runner',
    `runner.ALLOWED = ${set([...imports, '__future__'])}`,
    `runner.PRELOADED = ${set(preloaded)}`,
    ...[prepareSource, checkSource, runnerSource, stripSource].map(
      (source) => `exec(compile(${JSON.stringify(source)}, "<house>", "exec"), runner.__dict__)`,
    ),
    '',
  ].join('\n')
}

function runText(instance: WasmInstance, text: string, said: readonly string[]): void {
  const at = put(instance, text)
  const failed = exported(instance, 'PyRun_SimpleStringFlags')(at, 0)
  exported(instance, 'free')(at)
  if (failed !== 0)
    throw new Error(`expected Python to be made ready, but: ${said.join(' ').trim().split('\n').at(-1)}`)
  exported(instance, 'PyGC_Collect')()
}

function attribute(instance: WasmInstance, module: string, name: string): number {
  const found = exported(instance, 'PyObject_GetAttrString')(
    exported(instance, 'PyImport_AddModule')(put(instance, module)),
    put(instance, name),
  )
  if (found === 0) throw new Error(`expected Python to have \`${module}.${name}\``)
  return found
}

function numberOf(imports: WasmImports, space: string, name: string): number {
  const found = imports[space]?.[name] as WasmGlobal | undefined
  if (found === undefined) throw new Error(`expected the interpreter to be given \`${name}\``)
  return found.value
}

function put(instance: WasmInstance, text: string): number {
  const bytes = new TextEncoder().encode(`${text}\0`)
  const at = exported(instance, 'malloc')(bytes.length) >>> 0
  memoryOf(instance).set(bytes, at)
  return at
}

function memoryOf(instance: WasmInstance): Uint8Array {
  return new Uint8Array((instance.exports['memory'] as { buffer: ArrayBuffer }).buffer)
}

function tableOf(instance: WasmInstance): WasmTable {
  return instance.exports['__indirect_function_table'] as WasmTable
}

function addressOf(instance: WasmInstance, name: string): number {
  const found = instance.exports[name]
  if (found === undefined) throw new Error(`expected the interpreter to export \`${name}\``)
  return (found as WasmGlobal).value
}
