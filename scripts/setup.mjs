// Makes a fresh clone ready to run: sees to it that what package-lock.json asks for is installed, Node itself included.
// It stands before `npm start` and `npm test`, so it works on an older Node with nothing installed, says nothing when
// there is nothing to do, and is quick about that.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const lockPath = join(root, '.setup-lock')
const lockAgeMaxMs = 15 * 60_000
const exitPartMissing = 3

if (missing() !== undefined) {
  lock()
  const reason = missing() // again: whoever held the lock until now may have installed it all
  if (reason !== undefined) install(reason)
}

/** What keeps the project from running, as half a sentence, or undefined. */
function missing() {
  const { packages } = readJson(join(root, 'package-lock.json'))
  // npm writes this file last: an install that was cut short has none.
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return 'nothing is installed yet, or not to the end'
  for (const [path, wanted] of Object.entries(packages)) {
    if (!path.startsWith('node_modules/') || wanted.optional || wanted.link) continue
    if (installedVersion(path) !== wanted.version) return `${nameOf(path)} ${wanted.version} is not there`
  }
  return missingNode(packages)
}

/**
 * The lock carries Node as an optional package for some platforms. npm passes over those of other platforms, and says
 * nothing when the one that fits cannot be fetched. Where none fits, the Node that is running has to do.
 */
function missingNode(packages) {
  const path = `node_modules/node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const pinned = packages[path]
  if (pinned !== undefined) {
    return installedVersion(path) === pinned.version ? undefined : `${nameOf(path)} ${pinned.version} is not there`
  }
  const major = Number(/\d+/.exec(packages[''].engines.node)[0]) // `>=24`
  if (Number.parseInt(process.versions.node, 10) >= major) return undefined
  return fail(
    `this project needs Node ${major} or newer, and this is Node ${process.versions.node}. It brings its own on some ` +
      `platforms, but not on ${process.platform} ${process.arch}: install Node ${major} there, then start again.`,
  )
}

function installedVersion(path) {
  try {
    return readJson(join(root, path, 'package.json')).version
  } catch {
    return undefined // absent, or half written: not installed
  }
}

function nameOf(path) {
  return path.slice('node_modules/'.length)
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function install(reason) {
  process.stdout.write(`setup: installing the packages of package-lock.json, since ${reason}\n`)
  const { command, args, shell } = npm()
  // Without these two, NODE_ENV=production or an `omit` in the user's npmrc would leave out packages at every start anew.
  const npmCi = spawnSync(command, [...args, 'ci', '--include=dev', '--include=optional'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    shell,
  })
  const output = `${npmCi.stdout ?? ''}${npmCi.stderr ?? ''}`
  if (npmCi.error !== undefined) fail(`npm could not be run: ${npmCi.error.message}`, output)
  if (npmCi.status !== 0) fail('`npm ci` failed, and what it said is above. Mend that, then start again.', output)
  const still = missing()
  if (still !== undefined) fail(`\`npm ci\` went well, and yet ${still}. What it said is above.`, output)
}

/** The npm that runs us, on the Node that it runs on: the Node in node_modules is about to be replaced. */
function npm() {
  const { npm_node_execpath: node, npm_execpath: cli } = process.env
  if (node && cli) return { command: node, args: [cli], shell: false }
  return { command: 'npm', args: [], shell: process.platform === 'win32' } // there npm is a script, not a program
}

function fail(sentence, output = '') {
  process.stderr.write(`${output}setup: ${sentence}\n`)
  process.exit(exitPartMissing)
}

/** Waits until no other process is installing, and keeps others waiting until this one ends. */
function lock() {
  let told = false
  while (!take()) {
    const owner = readOwner()
    if (owner === undefined) continue // let go of just now
    if (isGone(owner)) {
      if (takeOver()) break
    } else if (!told) {
      told = true
      process.stdout.write(`setup: waiting for process ${owner.pid}, which is installing (.setup-lock)\n`)
    }
    sleep(100)
  }
  process.on('exit', () => {
    if (readOwner()?.pid === process.pid) rmSync(lockPath, { force: true })
  })
}

function take() {
  try {
    writeFileSync(lockPath, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function readOwner() {
  try {
    return { pid: Number(readFileSync(lockPath, 'utf8')), ageMs: Date.now() - statSync(lockPath).mtimeMs }
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Killed before it could let go. The age counts too, since another program may have been given the same number. */
function isGone({ pid, ageMs }) {
  if (ageMs > lockAgeMaxMs || pid === process.pid) return true
  if (pid === 0) return ageMs > 1000 // created, and the number not written yet
  try {
    process.kill(pid, 0) // only asks
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** Several may find the same dead owner: the last to write its number has the lock, and after a moment all can see that. */
function takeOver() {
  writeFileSync(lockPath, String(process.pid))
  sleep(200)
  return readOwner()?.pid === process.pid
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
