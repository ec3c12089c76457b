import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { type Reference, readSource, type Source } from './source.ts'

/** Files by their path; what one of them names in another is a path too. */
export type Codebase = ReadonlyMap<string, File>

export interface File extends Source {
  /** As it is written, comments and all. */
  readonly text: string
  readonly lines: number
}

/** Reads the files below a folder that match a pattern. */
export function readCodebase(root: string, pattern: string): Codebase {
  const paths = globSync(pattern, { cwd: root, exclude: ['**/node_modules/**'] }).sort()
  return codebaseOf(Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')])))
}

/** A code base of texts by their paths. */
export function codebaseOf(texts: Readonly<Record<string, string>>): Codebase {
  return new Map(Object.entries(texts).map(([path, text]) => [path, readFile(path, text)]))
}

function readFile(path: string, text: string): File {
  const source = readSource(text)
  const references = source.references.map(
    ({ to, by }): Reference => ({ to: to.startsWith('.') ? join(dirname(path), to) : to, by }),
  )
  return { ...source, references, text, lines: text.trimEnd().split('\n').length }
}

/** Whether a path is one of the places: those that end in a slash are folders, the others are files. */
export function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))
}

/** The starts, and every file that they lead to by one of the ways. */
export function reachedFrom(
  codebase: Codebase,
  starts: readonly string[],
  ways: readonly Reference['by'][],
): ReadonlySet<string> {
  const reached = new Set(starts.filter((path) => codebase.has(path)))
  for (const path of reached) {
    for (const { to, by } of codebase.get(path)?.references ?? []) {
      if (codebase.has(to) && ways.includes(by)) reached.add(to)
    }
  }
  return reached
}

/** The imports that lead back to where they began, one way for each. A thread is a world of its own. */
export function circles(codebase: Codebase): string[][] {
  const found: string[][] = []
  const left = new Set<string>()
  const way: string[] = []
  for (const path of codebase.keys()) visit(path)
  return found

  function visit(path: string): void {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path])
    if (left.has(path) || way.includes(path)) return
    way.push(path)
    for (const { to, by } of codebase.get(path)?.references ?? []) if (codebase.has(to) && by !== 'thread') visit(to)
    way.pop()
    left.add(path)
  }
}

/** Where the code says it: what stands in comments and texts is not said. */
export function saying(codebase: Codebase, said: RegExp): { readonly path: string; readonly place: string }[] {
  return [...codebase].flatMap(([path, { code }]) =>
    linesWith(code, said).map((line) => ({ path, place: `${path}:${line}` })),
  )
}

/** The numbers of the lines that match. */
export function linesWith(text: string, said: RegExp): number[] {
  return text.split('\n').flatMap((line, index) => (said.test(line) ? [index + 1] : []))
}
