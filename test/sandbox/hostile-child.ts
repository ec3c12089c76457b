// A child that speaks the protocol, and does with each run what its code says: also what no honest child does. Started by the tests
// of the house's side in place of the real one.
import { spawn } from 'node:child_process'
import { closeSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { ChildOutcome, RunQuestion } from '../../src/sandbox/inside/protocol.ts'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
await lines.next()
const birth = process.argv[2] ?? 'honest'
/** What it has been told to keep: a tenant's own, if it is nobody else's. */
let kept = 'nothing'

switch (birth) {
  case 'honest':
    say({ ready: true })
    break
  case 'slow':
    await sleep(400)
    say({ ready: true })
    break
  case 'stillborn':
    process.stderr.write('the interpreter is not there\n')
    process.exit(3)
    break
  case 'silent':
    await sleep(600_000)
    break
  case 'babbling':
    say({ ready: true }, { ready: true })
    break
  case 'early':
    say({ ready: true }, { done: outcome({ result: '"forged"' }) })
    break
  case 'shouting':
    for (;;) writeSync(1, 'x'.repeat(65_536))
  case 'wandering':
    say({ ready: true })
    setTimeout(() => process.exit(0), 20)
}

for (;;) {
  const { value, done } = await lines.next()
  if (done === true) process.exit(0)
  const question = JSON.parse(value) as RunQuestion
  await act(question, question.code.split(' '))
}

async function act(question: RunQuestion, [verb, ...words]: readonly string[]): Promise<void> {
  const rest = words.join(' ')
  switch (verb) {
    case 'echo':
      return say({ done: outcome({ result: question.input }) })
    case 'keep': {
      const before = kept
      kept = rest
      return say({ done: outcome({ result: JSON.stringify({ before, pid: process.pid }) }) })
    }
    case 'sleep':
      await sleep(Number(rest))
      return say({ done: outcome({ result: JSON.stringify(process.pid) }) })
    case 'question':
      return say({ done: outcome({ result: JSON.stringify(question) }) })
    case 'say': // exactly these bytes
      writeSync(1, `${rest}\n`)
      return
    case 'done': // an outcome with these members
      return say({ done: { ...outcome({}), ...JSON.parse(rest) } })
    case 'print': {
      const [piece = 'x', count = '1'] = words
      for (let printed = 0; printed < Number(count); printed++) say({ output: piece })
      return say({ done: outcome({ output: piece.repeat(Number(count)) }) })
    }
    case 'print-and-hang':
      say({ output: rest })
      return sleep(600_000)
    case 'twice':
      return say({ done: outcome({ result: '1' }) }, { done: outcome({ result: '2' }) })
    case 'later': // says something more once its run is over
      say({ done: outcome({ result: JSON.stringify(process.pid) }) })
      setTimeout(() => writeAll(rest), 20)
      return
    case 'flood': // one line without an end
      for (;;) writeSync(1, 'x'.repeat(65_536))
    case 'flood-lines':
      for (;;) writeSync(1, '{"output":""}\n'.repeat(4096))
    case 'flood-errors':
      for (;;) writeSync(2, 'x'.repeat(65_536))
    case 'hang':
      return sleep(600_000)
    case 'spin':
      for (;;);
    case 'deaf':
      process.stdin.pause()
      return sleep(600_000)
    case 'mute': // says nothing any more, and stays
      closeSync(1)
      return sleep(600_000)
    case 'exit':
      process.exit(Number(rest))
      break
    case 'kill':
      process.kill(process.pid, 'SIGKILL')
      return sleep(600_000)
    case 'swell': {
      const held: Buffer[] = []
      for (;;) {
        held.push(Buffer.alloc(64 * 1024 ** 2, held.length + 1))
        await sleep(10)
      }
    }
    case 'fork': // leaves somebody behind who holds its pipes
      spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600000)'], { stdio: 'inherit' })
      process.exit(0)
      break
    default:
      return say({ done: outcome({ result: JSON.stringify(question.code) }) })
  }
}

function outcome(some: Partial<ChildOutcome>): ChildOutcome {
  const usage = { timeMs: 1, cpuMs: 1, memoryBytes: 1 }
  return { result: 'null', output: '', outputCut: false, usage, findings: [], clean: true, ...some }
}

function say(...all: readonly object[]): void {
  writeAll(all.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** All at once, so that it comes as one piece. */
function writeAll(text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
