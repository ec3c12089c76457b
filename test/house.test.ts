// The plan of the house, as a test. Each rule names the files that break it and says how to mend them.
import assert from 'node:assert/strict'
import { join } from 'node:path/posix'
import { test } from 'node:test'
import {
  type Codebase,
  circles,
  codebaseOf,
  isIn,
  linesWith,
  reachedFrom,
  readCodebase,
  saying,
} from './support/codebase.ts'

/**
 * The storeys, from the roof down. A file may import from its own entry and from every line below it; two entries on one
 * line are neighbours, and do not know each other. The rooms stand one to a line, in the order in which they may lean on
 * each other. Types count: what a lower storey needs to know by name belongs to it.
 */
// biome-ignore format: a plan
const storeys: readonly (readonly string[])[] = [
  ['src/main.ts', 'src/index.ts'],  // the command; the house to embed
  ['src/cli/'],                     // one file per command
  ['src/house.ts'],                 // puts the rooms together
  ['src/memory.ts'],                // what its threads have in common
  ['src/chores.ts'],                // what it does again and again
  ['src/record-keeping.ts'],        // who keeps the record, and where
  ['src/record-thread.ts'],
  ['src/record-keeper.ts'],         // what is done with the record once it is written
  ['src/hearing.ts'],               // what others have done
  ['src/floor.ts'],                 // what one configuration makes of them
  ['src/traffic.ts'],               // the rooms that know how much comes, and from where
  ['src/keyrings.ts'],              // the keys that it signs with
  ['src/authorization.ts'],         // the rooms of the authorization server
  ['src/own-acts.ts'],              // what the house does of its own accord, remembered
  ['src/machines.ts'],              // the rooms that know machines
  ['src/people.ts'],                // the rooms that know people
  ['src/config/'],                  // joins the options of all below
  ['console/'],
  ['client/'],
  ['src/endpoints/'],               // sockets, and what the house itself answers
  ['src/gate/'],                    // the way of a request

  ['src/mcp/'],
  ['src/incident/'],
  ['src/privacy/'],
  ['src/posture/'],
  ['src/sandbox/'],
  ['src/upstream/'],
  ['src/oauth/'],
  ['src/inspection/'],
  ['src/shield/'],
  ['src/limits/'],
  ['src/authz/'],
  ['src/authn/'],
  ['src/audit/'],
  ['src/mail/'],
  ['src/keys/'],

  ['src/store/', 'src/http/'],
  ['src/wire/'],                    // what clients and server agree on
  ['src/kernel/'],
]

/** Where a program begins. What none of them leads to is dead. */
const entrances = ['src/main.ts', 'src/index.ts', 'client/index.ts', 'console/main.tsx']

/** What has to run in a browser too. */
const browser = ['src/wire/', 'client/', 'console/']

/** What a child of the sandbox sees of the house. */
const behindWalls = 'src/sandbox/inside/'

const roof = ['src/main.ts', 'src/index.ts', 'src/cli/']
const clock = ['src/main.ts', 'src/cli/', 'src/kernel/clock.ts', 'src/sandbox/inside/clock.ts']

/** What only some files may say, and what the others do instead. */
// biome-ignore format: a table
const reserved: readonly { readonly name: string; readonly said: RegExp; readonly by: readonly string[]; readonly instead: string }[] = [
  { name: 'Date.now()',        said: /\bDate\.now\b/,            by: clock, instead: 'take a Clock and ask it for now()' },
  { name: 'new Date()',        said: /\bnew Date(?!\w|\([^)])/,  by: clock, instead: 'take a Clock and ask it for now()' },
  { name: 'performance.now()', said: /\bperformance\.now\b/,     by: clock, instead: 'take a Clock and ask it for monotonic()' },
  { name: 'Math.random()',     said: /\bMath\.random\b/,         by: [],    instead: 'take a Random' },
  { name: 'process.env',       said: /\bprocess\.env\b/,         by: [...roof, 'src/kernel/secret.ts'], instead: 'take the value as an option' },
]

const linesMax = 450

/** What each rule finds wrong with a house, one sentence for each place. */
const rules: Readonly<Record<string, (code: Codebase) => string[]>> = {
  'every file has its storey and imports from its own or from below': (house) => {
    const homeless = [...house.keys()].filter((path) => storeyOf(path) === undefined)
    const upward = [...house].flatMap(([path, { references }]) =>
      references.flatMap(({ to, by }) => {
        const [from, target] = [storeyOf(path), storeyOf(to)]
        if (from === undefined || target === undefined || by === 'thread') return []
        if (target.level < from.level)
          return [`${path} imports ${to}, from above: move what it needs down, or take it as an argument`]
        if (target.level > from.level || target.entry === from.entry) return []
        return [`${path} imports ${to}, from next door: let the caller of both hand it over`]
      }),
    )
    return [...homeless.map((path) => `${path} has no storey: give its folder a line in the plan`), ...upward]
  },

  'no file leads back to itself, not even by a type': (house) =>
    circles(house).map((circle) => `${circle.join(' → ')}: put what they share into a file of its own, below them`),

  'what runs in a browser needs nothing of Node': (house) =>
    [...house.keys()]
      .filter((path) => isIn(path, browser))
      .flatMap((path) => [
        ...nodeModules(house, path, ['import', 'type']).map(
          (name) => `${path} needs ${name}: keep to what the web platform has`,
        ),
        ...[...reachedFrom(house, [path], ['import'])]
          .slice(1)
          .flatMap((behind) =>
            nodeModules(house, behind, ['import']).map(
              (name) => `${path} runs ${behind}, which needs ${name}: import less, or move it up`,
            ),
          ),
      ]),

  'time, chance and the environment come in as arguments': (house) =>
    reserved.flatMap(({ name, said, by, instead }) =>
      saying(house, said).flatMap(({ path, place }) => (isIn(path, by) ? [] : [`${place} says ${name}: ${instead}`])),
    ),

  'no type is given up': (house) => [
    ...saying(house, /(?:[:<|&]|\bas|=>)\s*any\b(?!\s*[:(?.])|\bany\s*(?:\[\]|>)/).map(
      ({ place }) => `${place} says any: say unknown, and narrow it`,
    ),
    ...[...house].flatMap(([path, { text }]) =>
      linesWith(text, /@ts-(?:ignore|nocheck|expect-error)\b/).map(
        (line) => `${path}:${line} silences the compiler: mend the type`,
      ),
    ),
  ],

  'what is imported comes from the file that has it': (house) => [
    ...saying(house, /\bexport\s+(?:type\s+)?\*/).map(
      ({ place }) => `${place} exports another file whole: let its readers import that one`,
    ),
    ...[...house.keys()]
      .filter((path) => /\/index\.tsx?$/.test(path) && !entrances.includes(path))
      .map((path) => `${path} is named like a barrel: name it for what it exports`),
  ],

  'every file is reached from an entrance': (house) => {
    const alive = reachedFrom(house, entrances, ['import', 'type', 'thread'])
    return [...house.keys()]
      .filter((path) => !alive.has(path))
      .map((path) => `${path} is reached from no entrance: use it or delete it`)
  },

  'a thread is found in the sources and in the published package': (house) =>
    [...house].flatMap(([path, { references }]) => {
      const threads = new Set(references.filter(({ by }) => by === 'thread').map(({ to }) => to))
      const lone = [...threads].filter(
        (to) => !threads.has(to.endsWith('.ts') ? to.replace(/ts$/, 'js') : to.replace(/js$/, 'ts')),
      )
      return lone.map((to) => `${path} starts ${to}: name it as .ts and as .js, and choose by how import.meta.url ends`)
    }),

  'what runs behind the walls finds there all that it imports': (house) =>
    [...house].flatMap(([path, { references }]) =>
      isIn(path, [behindWalls])
        ? references
            .filter(({ to }) => !to.startsWith('node:') && !isIn(to, [behindWalls]))
            .map(({ to }) => `${path} imports ${to}, which is not mounted there: keep to ${behindWalls} and to Node`)
        : [],
    ),

  [`no file is longer than ${linesMax} lines`]: (house) =>
    [...house].flatMap(([path, { lines }]) =>
      lines > linesMax ? [`${path} has ${lines} lines: is there a second noun in it?`] : [],
    ),
}

function nodeModules(house: Codebase, path: string, ways: readonly string[]): string[] {
  const references = house.get(path)?.references ?? []
  return references.filter(({ to, by }) => to.startsWith('node:') && ways.includes(by)).map(({ to }) => to)
}

function storeyOf(path: string): { level: number; entry: string } | undefined {
  for (const [level, entries] of storeys.entries()) {
    const entry = entries.find((entry) => isIn(path, [entry]))
    if (entry !== undefined) return { level, entry }
  }
  return undefined
}

const house = readCodebase(join(import.meta.dirname, '..'), '{src,client,console}/**/*.{ts,tsx}')

for (const [rule, breaks] of Object.entries(rules)) {
  test(rule, () => {
    const broken = breaks(house)
    assert.ok(broken.length === 0, `\n  ${broken.join('\n  ')}\n`)
  })
}

/** Houses with one fault each, to see that the rules see. The rest of what they say is in order. */
const faults: Readonly<Record<string, { readonly house: Readonly<Record<string, string>>; readonly finds: RegExp }>> = {
  'a folder that is not in the plan': {
    house: { 'src/utils/text.ts': '' },
    finds: /^src\/utils\/text\.ts has no storey/,
  },
  'an import from above': {
    house: { 'src/limits/window.ts': "import { Exchange } from '../gate/exchange.ts'", 'src/gate/exchange.ts': '' },
    finds: /^src\/limits\/window\.ts imports src\/gate\/exchange\.ts, from above/,
  },
  'a type from above': {
    house: { 'src/keys/keyring.ts': "type Event = import('../audit/event.ts').AuditEvent", 'src/audit/event.ts': '' },
    finds: /^src\/keys\/keyring\.ts imports src\/audit\/event\.ts, from above/,
  },
  'an import from a neighbour': {
    house: { 'src/store/database.ts': "import type { Head } from '../http/message.ts'", 'src/http/message.ts': '' },
    finds: /^src\/store\/database\.ts imports src\/http\/message\.ts, from next door/,
  },
  'a circle of three': {
    house: {
      'src/gate/a.ts': "import './b.ts'",
      'src/gate/b.ts': "export { c } from './c.ts'",
      'src/gate/c.ts': "import type { A } from './a.ts'",
    },
    finds: /^src\/gate\/a\.ts → src\/gate\/b\.ts → src\/gate\/c\.ts → src\/gate\/a\.ts:/,
  },
  'Node in the wire': {
    house: { 'src/wire/problem.ts': "import type { Socket } from 'node:net'" },
    finds: /^src\/wire\/problem\.ts needs node:net:/,
  },
  'Node behind the wire': {
    house: { 'src/wire/problem.ts': "import '../kernel/bytes.ts'", 'src/kernel/bytes.ts': "import 'node:crypto'" },
    finds: /^src\/wire\/problem\.ts runs src\/kernel\/bytes\.ts, which needs node:crypto:/,
  },
  'the wall clock': {
    house: { 'src/gate/a.ts': 'const now = Date.now()' },
    finds: /^src\/gate\/a\.ts:1 says Date\.now\(\)/,
  },
  'the wall clock by name': {
    house: { 'src/gate/a.ts': '\nread(Date.now)' },
    finds: /^src\/gate\/a\.ts:2 says Date\.now\(\)/,
  },
  'the date of today': { house: { 'src/gate/a.ts': 'new Date().toISOString()' }, finds: /says new Date\(\)/ },
  'the date of today without a bracket': {
    house: { 'src/gate/a.ts': 'const today = new Date' },
    finds: /says new Date\(\)/,
  },
  'the monotonic clock': { house: { 'src/http/a.ts': 'performance.now()' }, finds: /says performance\.now\(\)/ },
  'weak chance': { house: { 'src/kernel/id.ts': 'Math.random()' }, finds: /says Math\.random\(\)/ },
  'the environment': { house: { 'src/store/a.ts': "process.env['HOME']" }, finds: /says process\.env/ },
  'a type given up': {
    house: { 'src/gate/a.ts': 'function f(a: any): void {}' },
    finds: /^src\/gate\/a\.ts:1 says any/,
  },
  'a list of anything': { house: { 'src/gate/a.ts': 'const a: Map<string, any> = b' }, finds: /says any/ },
  'a silenced compiler': { house: { 'src/gate/a.ts': '// @ts-expect-error' }, finds: /silences the compiler/ },
  'a star': { house: { 'src/authn/a.ts': "export * from './b.ts'" }, finds: /exports another file whole/ },
  'a barrel': { house: { 'src/authn/index.ts': '' }, finds: /^src\/authn\/index\.ts is named like a barrel/ },
  'a dead file': {
    house: { 'src/main.ts': "new URL('./kernel/a.ts', x)", 'src/kernel/a.ts': '' },
    finds: /^src\/kernel\/a\.ts is reached from no entrance/,
  },
  'a thread that only the sources have': {
    house: { 'src/audit/a.ts': "new URL('./b.ts', import.meta.url)" },
    finds: /^src\/audit\/a\.ts starts src\/audit\/b\.ts/,
  },
  'a way out of the sandbox': {
    house: { 'src/sandbox/inside/a.ts': "import { sha256 } from '../../kernel/bytes.ts'", 'src/kernel/bytes.ts': '' },
    finds: /^src\/sandbox\/inside\/a\.ts imports src\/kernel\/bytes\.ts, which is not mounted there/,
  },
  'a long file': { house: { 'src/gate/a.ts': 'a\n'.repeat(451) }, finds: /^src\/gate\/a\.ts has 451 lines/ },
}

for (const [fault, { house: texts, finds }] of Object.entries(faults)) {
  test(`the rules see ${fault}`, () => {
    const invented = codebaseOf(texts)
    const found = Object.values(rules).flatMap((breaks) => breaks(invented))
    assert.ok(
      found.some((sentence) => finds.test(sentence)),
      found.join('\n'),
    )
  })
}

test('the rules find nothing in a house that is in order', () => {
  const inOrder = codebaseOf({
    'src/main.ts': "import { start } from './cli/start.ts'\nDate.now(); process.env.HOME",
    'src/cli/start.ts': "import { gate } from '../gate/gate.ts'\nawait import('../endpoints/listener.ts')",
    'src/endpoints/listener.ts': "import { problem } from '../wire/problem.ts'",
    'src/gate/gate.ts': "import { append } from '../audit/log.ts' // not Date.now(): see './nowhere.ts'",
    'src/audit/log.ts':
      "new URL(import.meta.url.endsWith('.ts') ? './writer.ts' : './writer.js', import.meta.url)\nnew Date(at)",
    'src/audit/writer.ts':
      "import { open } from '../store/database.ts'\nconst any = [1]\nexport { all, any }\nPromise.any(any)",
    'src/store/database.ts': "import { DatabaseSync } from 'node:sqlite'\nimport { sha256 } from '../kernel/bytes.ts'",
    'src/wire/problem.ts': "import { catalogue } from '../kernel/error.ts'\nimport { z } from 'zod'",
    'src/kernel/error.ts': "import type { Buffer } from 'node:buffer'",
    'src/kernel/bytes.ts': "import { createHash } from 'node:crypto'",
  })
  assert.deepEqual(
    Object.values(rules).flatMap((breaks) => breaks(inOrder)),
    [],
  )
})
