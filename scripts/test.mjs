// Runs the tests: those of one folder in one process, since to load the house takes longer than most files do. A file that
// counts memory or changes what is the whole process's says `// In a process of its own:` and why, and is given one.
// What stands behind `npm test --` are files, in place of all, and options of `node --test`, each with its value behind a `=`.
import { spawn } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = resolve(import.meta.dirname, '..')
const filesMax = 6
/** A test makes much that lives for a moment, and its helpers to collect that would only take the core of another test. */
const memory = ['--max-semi-space-size=64', '--single-threaded-gc']
const args = process.argv.slice(2)
const options = args.filter((arg) => arg.startsWith('-'))
const named = args.filter((arg) => !arg.startsWith('-'))
const wanted = named.length > 0 ? named : ['test/**/*.test.ts', 'examples/**/*.test.ts']
const files = [...new Set(wanted.flatMap(filesOf))].sort()

const cache = join(root, 'node_modules/.cache')
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'tests-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const child = spawn(
  process.execPath,
  [...memory, '--import', './scripts/compile-cache.mjs', '--test', '--test-concurrency=4', ...options, ...processes()],
  { cwd: root, stdio: 'inherit' },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal]
})

function filesOf(pattern) {
  const found = globSync(pattern, { cwd: root, exclude: (name) => name === 'node_modules' })
  if (found.length === 0 && named.length > 0) throw new Error(`no file is called \`${pattern}\``)
  return found
}

/** What each process runs. */
function processes() {
  const alone = files.filter((file) =>
    /^\/\/ In a process of its own: \S/m.test(readFileSync(resolve(root, file), 'utf8')),
  )
  const others = Map.groupBy(
    files.filter((file) => !alone.includes(file)),
    (file) => dirname(file),
  )
  return [...alone, ...[...others].flatMap(([folder, files]) => evenly(files).map((part) => together(folder, part)))]
}

/** In parts of a size, none above the most. */
function evenly(files) {
  const parts = Math.ceil(files.length / filesMax)
  return Array.from({ length: parts }, (_, part) => files.filter((_, index) => index % parts === part))
}

/** A file that runs others one after the other: each is a suite, so that what it does before and after stays its own. */
function together(name, files) {
  if (files.length === 1) return files[0]
  const path = join(folder, `${name.replaceAll(/[\\/]/g, '-')}-${files[0].replaceAll(/[\\/]/g, '-')}.mjs`)
  const suites = files.map((file) => {
    const url = pathToFileURL(resolve(root, file)).href
    return `suite(${JSON.stringify(file)}, async () => { await import(${JSON.stringify(url)}) })`
  })
  writeFileSync(path, ["import { suite } from 'node:test'", ...suites, ''].join('\n'))
  return path
}
