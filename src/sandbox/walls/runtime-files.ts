import { closeSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Exposed } from './wall.ts'

/** Where Node and its libraries stand inside. */
export const insideNode = '/app/node'
export const insideLibraries = '/app/lib'

/**
 * What Node needs to start: itself, the libraries that this process was started with, and the loader at the path that its binary asks for.
 * `undefined` where the system does not tell.
 */
export function runtimeFiles(execPath: string): readonly Exposed[] | undefined {
  try {
    const mapped = readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .map((line) => /(\/.*)$/.exec(line)?.[1])
      .filter((path): path is string => path !== undefined)
    const libraries = [...new Set(mapped)].filter((path) => /\.so(?:\.|$)/.test(basename(path)) && isSystem(path))
    const loader = interpreterOf(execPath)
    return [
      { outside: execPath, inside: insideNode },
      ...libraries.map((path) => ({ outside: path, inside: `${insideLibraries}/${shortName(path)}` })),
      ...(loader === undefined ? [] : [{ outside: followed(loader), inside: loader }]),
    ]
  } catch {
    return undefined
  }
}

/** Other programs' additions to a process (`LD_PRELOAD`) are not taken along. */
function isSystem(path: string): boolean {
  return /^\/(?:usr\/)?lib(?:32|64|x32)?\//.test(path) || path.startsWith('/nix/store/')
}

/** `libstdc++.so.6.0.30` is asked for as `libstdc++.so.6`. */
function shortName(path: string): string {
  const name = basename(path)
  return /^.*?\.so(?:\.\d+)?/.exec(name)?.[0] ?? name
}

function followed(path: string): string {
  try {
    const target = readlinkSync(path)
    return followed(target.startsWith('/') ? target : `${dirname(path)}/${target}`)
  } catch {
    return path
  }
}

/** The loader that an ELF binary names in its program header `PT_INTERP`; `undefined` for one that is linked statically. */
function interpreterOf(path: string): string | undefined {
  const file = beginningOf(path)
  if (file.subarray(0, 5).toString('latin1') !== '\x7fELF\x02') return undefined
  const [table, size, count] = [Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56)]
  for (let index = 0; index < count; index++) {
    const at = table + index * size
    if (file.readUInt32LE(at) !== 3) continue
    const [offset, length] = [Number(file.readBigUInt64LE(at + 8)), Number(file.readBigUInt64LE(at + 32))]
    return file.subarray(offset, offset + length - 1).toString('utf8')
  }
  return undefined
}

/** The headers stand there, and what they point to. */
function beginningOf(path: string): Buffer {
  const bytes = Buffer.alloc(64 * 1024)
  const file = openSync(path, 'r')
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}
