// Where a child begins. It reads a task, then one run after the other, and answers each. It has nothing but its three pipes.
import { createInterface } from 'node:readline'
import type { ChildLine, ChildTask, RunQuestion } from './protocol.ts'

const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]()
const task = (await next()) as ChildTask
const { startPython } = task.language === 'python' ? await import('./python.ts') : { startPython: undefined }
const interpreter =
  startPython !== undefined ? await startPython(task) : await (await import('./javascript.ts')).startJavaScript(task)
say({ ready: true })
for (;;) {
  const question = (await next()) as RunQuestion
  const done = await interpreter.run(question, (output) => {
    if (question.live) say({ output })
  })
  say({ done })
}

async function next(): Promise<unknown> {
  const { value, done } = await lines.next()
  if (done === true) process.exit(0)
  return JSON.parse(value)
}

function say(line: ChildLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
