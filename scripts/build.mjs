// Makes dist/, the package as it is published: `npm pack ./dist` or `npm publish ./dist`. Inside the repository Node runs
// the sources as they are; under node_modules it strips no types, so a package has to bring JavaScript.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const companions = ['README.md', 'CHANGELOG.md', 'LICENSE', 'SECURITY.md', 'docs']
const shebang = '#!/usr/bin/env node\n'

const absent = companions.filter((name) => !existsSync(join(root, name)))
if (absent.length > 0) fail(`a package needs ${absent.join(', ')} beside package.json`)

rmSync(dist, { recursive: true, force: true }) // or else a deleted source would live on in the package
compile()
const manifest = manifestOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
// What the sources read beside themselves.
cpSync(join(root, 'src/authn/password/common.bin'), join(dist, 'src/authn/password/common.bin'))
for (const name of companions) cpSync(join(root, name), join(dist, name), { recursive: true })
for (const path of Object.values(manifest.bin)) makeExecutable(join(dist, path))

function compile() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [compiler, '--project', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) fail('the compiler found mistakes')
}

/** The manifest of the package. What is not named here stays at home: scripts, the tools, and the Node for contributors. */
function manifestOf({ name, version, description, keywords, license, type, engines, bin, exports, dependencies }) {
  return {
    name,
    version,
    description,
    keywords,
    license,
    type,
    engines,
    bin: mapValues(bin, (source) => emitted(source, '.js')),
    exports: {
      ...mapValues(exports, (source) => ({
        types: `./${emitted(source, '.d.ts')}`,
        default: `./${emitted(source, '.js')}`,
      })),
      './package.json': './package.json',
    },
    dependencies,
  }
}

/** `./src/main.ts` comes out as `src/main.js`: the package is laid out like the repository. */
function emitted(source, extension) {
  return source.replace(/^\.\//, '').replace(/\.ts$/, extension)
}

function mapValues(record, change) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}

function makeExecutable(path) {
  if (!readFileSync(path, 'utf8').startsWith(shebang))
    fail(`${path} is a command: its source must begin with ${shebang}`)
  chmodSync(path, 0o755)
}

function fail(sentence) {
  process.stderr.write(`build: ${sentence.trimEnd()}\n`)
  process.exit(1)
}
